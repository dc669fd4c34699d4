/** W5: bodies of a megabyte, there and back. */
import { postJson } from '../load/request.js'
import { expect, expectJson } from '../load/wrong_answer.js'

const MEGABYTE = 2 ** 20
const TEXT = 'x'.repeat(MEGABYTE)

let calls = 0

export function* largeAnswer(seat, place) {
  const id = nextId()
  const answer = yield request(seat, place, id, `"large","arguments":{"size":${MEGABYTE}}`)
  const { id: told, result } = expectJson(200, 'a large answer', answer)
  const isWhole = told === id && result.content[0].text.length === MEGABYTE
  expect(isWhole, 'a large answer is not whole', answer)
}

export function* largeBody(seat, place) {
  const id = nextId()
  const answer = yield request(seat, place, id, `"echo","arguments":{"text":"${TEXT}"}`)
  const { id: told, result } = expectJson(200, 'the answer to a large body', answer)
  expect(told === id && result.content[0].text === 'xxxxx', 'it is another answer', answer)
}

function nextId() {
  calls += 1
  return calls
}

function request({ access_token }, place, id, call) {
  const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${call}}}`
  return postJson(place, place.paths.mcp, body, `Authorization: Bearer ${access_token}\r\n`)
}
