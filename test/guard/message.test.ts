import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/protocol/errors.ts'
import {
  bodyOf,
  call,
  message,
  passage,
  refusal,
  request,
  statusOf,
  testGuard,
  type RequestChoice,
} from './support/guard.ts'

/** What a user without `notes:write` hears to a body. */
async function answerTo(
  body: unknown,
  choice: RequestChoice = {},
): Promise<{ status: number; code: unknown; id: unknown }> {
  const { guard } = testGuard()
  const guarded = await guard(request({ token: 'good', ...choice, body }))
  if (guarded.outcome === 'passed') return { status: 200, code: undefined, id: undefined }
  const answer = bodyOf(guarded.response)
  const { code } = (answer['error'] ?? {}) as { code?: unknown }
  return { status: guarded.response.status, code, id: answer['id'] }
}

const start = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'

describe('the message that is judged is the message that runs', () => {
  it('GD-18 GD-19 the control: the scoped tool is refused, another one passes', async () => {
    expect((await answerTo(call('delete_note'))).status).toBe(403)
    expect((await answerTo(call('list_notes'))).status).toBe(200)
  })

  it.each([
    ['a doubled tool', `${start}{"name":"list_notes","name":"delete_note"}}`],
    ['a doubled tool, the other way', `${start}{"name":"delete_note","name":"list_notes"}}`],
    ['an escaped double', `${start}{"name":"list_notes","n\\u0061me":"delete_note"}}`],
    ['doubled params', `${start}{"name":"list_notes"},"params":{"name":"delete_note"}}`],
    ['a doubled method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['a doubled id', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'],
    ['a double in the arguments', `${start}{"name":"list_notes","arguments":{"a":1,"a":2}}}`],
    ['a name in capitals beside it', `${start}{"name":"list_notes","Name":"delete_note"}}`],
    ['a name in capitals alone', `${start}{"Name":"delete_note"}}`],
    ['a method in capitals alone', '{"jsonrpc":"2.0","id":1,"Method":"tools/call"}'],
    ['a method in capitals', '{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call"}'],
    ['a method hidden in a response', '{"jsonrpc":"2.0","id":1,"result":{},"Method":"tools/call"}'],
    ['params in capitals', `${start.replace('params', 'Params')}{"name":"delete_note"}}`],
    [
      'a long s, as Go reads it',
      `${start.replace('params', 'param\u017f')}{"name":"delete_note"}}`,
    ],
    ['two unknown names that differ by case', `${start}{"name":"list_notes","x":1,"X":2}}`],
    [
      'a revision in capitals',
      `${start}{"name":"x","_meta":{"io.modelcontextprotocol/ProtocolVersion":"2026-07-28"}}}`,
    ],
  ])('GD-18 GW-09 refuses %s', async (_, body) => {
    expect(await answerTo(body)).toMatchObject({ status: 400, code: -32600 })
  })

  it.each([
    ['a byte order mark', `\uFEFF${JSON.stringify(call('list_notes'))}`],
    [
      'two documents',
      `${JSON.stringify(call('list_notes'))}${JSON.stringify(call('delete_note'))}`,
    ],
    ['a comment', `${start}{"name":"list_notes"/*","name":"delete_note"*/}}`],
    ['nothing', ''],
    ['blanks', '  '],
    ['broken UTF-8', Uint8Array.from([0x22, 0xff, 0x22])],
  ])('GD-18 GW-09 refuses %s as no JSON', async (_, body) => {
    expect(await answerTo(body)).toEqual({ status: 400, code: -32700, id: undefined })
  })

  it.each([
    ['null', 'null'],
    ['a text', '"tools/call"'],
    ['a number', '1'],
    ['an empty object', '{}'],
    ['an empty batch', '[]'],
    ['a batch in a batch', '[[{"jsonrpc":"2.0","method":"ping","id":1}]]'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['no version', '{"id":1,"method":"ping"}'],
    ['a number as version', '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["tools/call"]}'],
    ['a null method', '{"jsonrpc":"2.0","id":1,"method":null}'],
    ['a method with a NUL', '{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000"}'],
    ['a method with a lone surrogate', '{"jsonrpc":"2.0","id":1,"method":"a\\ud800"}'],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['method and result', '{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{}}'],
    ['method and error', '{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}'],
    ['result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
    ['neither', '{"jsonrpc":"2.0","id":1}'],
  ])('GD-18 refuses %s as no message', async (_, body) => {
    expect(await answerTo(body)).toMatchObject({ status: 400, code: -32600 })
  })

  it.each([
    ['no name', {}],
    ['a null name', { name: null }],
    ['a list', { name: ['delete_note'] }],
    ['a number', { name: 1 }],
    ['a NUL behind the name', { name: 'delete_note\0' }],
    ['a line feed behind the name', { name: 'delete_note\n' }],
    ['a lone surrogate', { name: 'delete_note\ud800' }],
    ['positional params', ['delete_note']],
    ['a text as params', 'delete_note'],
  ])('GD-18 refuses a call of a tool with %s', async (_, params) => {
    const body = { jsonrpc: '2.0', id: 7, method: 'tools/call', params }
    expect(await answerTo(body)).toEqual({ status: 400, code: -32602, id: 7 })
  })

  it('GD-18 a call without params, or of another spelling of the method, is no way around', async () => {
    expect((await answerTo(message('tools/call'))).status).toBe(400)
    expect((await answerTo({ ...message('tools/call'), params: null })).status).toBe(400)
    expect((await answerTo(message('Tools/Call', { name: 'delete_note' }))).status).toBe(403)
    expect((await answerTo(message('TOOLS/CALL', {}))).status).toBe(400)
  })

  it('GD-18 a call without an id runs too, and is judged too', async () => {
    const body = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete_note' } }
    expect((await answerTo(body)).status).toBe(403)
  })

  it('GD-18 what a tool is called with is its own affair', async () => {
    const args = { Name: 'delete_note', name: 'x', NAME: 1, method: 'tools/call', __proto__: null }
    expect(
      (await answerTo(call('list_notes', { ...args, env: { Path: 1, PATH: 2 } }))).status,
    ).toBe(200)
    const polluting = `${start}{"name":"list_notes","arguments":{"__proto__":{"name":"delete_note"}}}}`
    expect((await answerTo(polluting)).status).toBe(200)
  })

  it('GW-09 numbers and texts beyond what other parsers hold pass as they are', async () => {
    const { guard } = testGuard()
    const body = `${start}{"name":"list_notes","arguments":{"a":1e400,"b":"\\ud800","c":-0}}}`
    const passed = passage(await guard(request({ token: 'good', body })))
    expect(new TextDecoder().decode(passed.body)).toBe(body)
  })

  it('GD-18 a message keeps its meaning whatever the order and spelling of its names', async () => {
    const names = ['jsonrpc', 'id', 'method', 'params'] as const
    const order = fc.shuffledSubarray([...names], { minLength: 4 })
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), fc.boolean(), async (sorted, escaped, scoped) => {
        const whole = call(scoped ? 'delete_note' : 'list_notes') as Record<string, unknown>
        const members = sorted.map((name) => `"${name}" : ${JSON.stringify(whole[name])}`)
        const text = `{ ${members.join(' ,\n')} }`
        const body = escaped ? text.replaceAll('m', '\\u006d').replaceAll('_', '\\u005F') : text
        expect((await answerTo(body)).status).toBe(scoped ? 403 : 200)
      }),
    )
  })

  it('MCP, Error Responses: an error has the id of its request where that could be read', async () => {
    expect(await answerTo({ ...message('ping', [] as object), id: 'abc' })).toEqual({
      status: 400,
      code: -32602,
      id: 'abc',
    })
    const { guard } = testGuard()
    const answer = bodyOf(refusal(await guard(request({ token: 'good', body: '{' }))))
    expect(answer).not.toHaveProperty('id')
  })

  it('an answer repeats nothing of what was sent', async () => {
    const { guard } = testGuard()
    for (const body of [
      '<script>"',
      message('<script>', 1 as unknown as object),
      call('<script>\0'),
    ]) {
      const { body: answer } = refusal(await guard(request({ token: 'good', body })))
      expect(answer).not.toContain('script')
    }
  })
})

describe('the body', () => {
  it.each([
    ['application/json', 200],
    ['Application/JSON', 200],
    ['application/json; charset=utf-8', 200],
    ['application/json;charset=UTF-8', 200],
    ['application/json; charset="utf-8"', 200],
    ['text/plain', 415],
    ['text/plain; application/json', 415],
    ['application/json-patch+json', 415],
    ['application/jsonp', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json; charset=utf-7', 415],
    ['application/json, text/plain', 415],
    ['multipart/form-data; boundary=x', 415],
    ['', 415],
  ])('GW-09 the content type %j gets %i', async (type, status) => {
    const { guard } = testGuard()
    const headers = ['Content-Type', type]
    expect(await statusOf(guard, { token: 'good', headers, body: call('x') })).toBe(status)
  })

  it('GW-09 no content type and two of them are refused, unread', async () => {
    const { guard } = testGuard()
    const two = request({
      token: 'good',
      headers: ['Content-Type', 'application/json', 'content-type', 'application/json'],
    })
    expect(refusal(await guard(two)).status).toBe(415)
    const none = { ...request({}), rawHeaders: ['Authorization', 'Bearer good'] }
    expect(refusal(await guard(none)).status).toBe(415)
    expect(two.reads).toEqual([])
  })

  it.each([
    ['GD-22 one that is too long', 413],
    ['GW-22 a compressed one', 415],
    ['one that does not arrive', 408],
  ])('%s is %i, said in JSON-RPC', async (_, status) => {
    const { guard, events } = testGuard()
    const body = new OAuthError('invalid_request', 'the body is no good', { status })
    const refused = refusal(await guard(request({ token: 'good', body })))
    expect(refused.status).toBe(status)
    expect(bodyOf(refused)).toEqual({
      jsonrpc: '2.0',
      error: { code: -32600, message: 'the body is no good' },
    })
    expect(events).toMatchObject([{ reason: 'unreadable_body', client_id: 'client-1' }])
  })

  it('GD-22 a user may send 4 MiB, or what the options say', async () => {
    const big = JSON.stringify(call('x', { text: 'y'.repeat(5 * 1024 * 1024) }))
    const { guard } = testGuard()
    const sent = request({ token: 'good', body: big })
    expect(refusal(await guard(sent)).status).toBe(413)
    expect(sent.reads).toEqual([4 * 1024 * 1024])
    const roomy = testGuard({ maxBody: 6 * 1024 * 1024 }).guard
    expect(await statusOf(roomy, { token: 'good', body: big })).toBe(200)
  })

  it('a failure of the machine in reading the body is no refusal', async () => {
    const { guard } = testGuard()
    const failure = new Error('socket hang up')
    await expect(guard(request({ token: 'good', body: failure }))).rejects.toBe(failure)
  })
})
