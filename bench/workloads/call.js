/**
 * W3: a guarded tool call, and the same handler without the guard, so that what the guard adds is a
 * difference. The handler answers the id of the call, which is another one each time.
 */
import { postJson } from '../load/request.js'
import { expect, expectJson } from '../load/wrong_answer.js'

let calls = 0

export function* call(seat, place) {
  calls += 1
  const headers = `Authorization: Bearer ${seat.access_token}\r\n`
  expectAnswer(calls, yield postJson(place, place.paths.mcp, message(calls), headers))
}

/** Each time with another access token of the seat: none of them is known to the server's memory. */
export function* firstCall(seat, place) {
  calls += 1
  const { access_tokens = [seat.access_token] } = seat
  seat.next = ((seat.next ?? -1) + 1) % access_tokens.length
  const headers = `Authorization: Bearer ${access_tokens[seat.next]}\r\n`
  expectAnswer(calls, yield postJson(place, place.paths.mcp, message(calls), headers))
}

export function* openCall(_seat, place) {
  calls += 1
  expectAnswer(calls, yield postJson(place, place.paths.open, message(calls)))
}

/** Nobody passes without a token, or with one that is none. */
export function* guardProbe(seat, place) {
  const path = place.paths.mcp
  const without = yield postJson(place, path, message(0))
  expect(without.status === 401, 'a call without a token is not refused', without)
  const forged = `${seat.access_token.slice(0, -8)}AAAAAAAA`
  for (const token of ['forged', forged]) {
    const answer = yield postJson(place, path, message(0), `Authorization: Bearer ${token}\r\n`)
    expect(answer.status === 401, 'a call with a forged token is not refused', answer)
  }
}

function message(id) {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}`
}

function expectAnswer(id, answer) {
  const { id: told, result } = expectJson(200, 'the answer to a call', answer)
  expect(told === id && result?.content?.[0]?.text === 'hello', 'it answers another call', answer)
}
