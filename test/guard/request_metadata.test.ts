import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bodyOf,
  call,
  message,
  modern,
  request,
  testGuard,
  type RequestChoice,
} from './support/guard.ts'

async function answerTo(
  choice: RequestChoice,
): Promise<{ status: number; code?: unknown; id?: unknown }> {
  const { guard } = testGuard()
  const guarded = await guard(request({ token: 'good', ...choice }))
  if (guarded.outcome === 'passed') return { status: 200 }
  const { error, id } = bodyOf(guarded.response) as { error: { code?: unknown }; id?: unknown }
  return { status: guarded.response.status, code: error.code, id }
}

const MISMATCH = { status: 400, code: -32020, id: 1 }
const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`

/** A call of `tool` whose headers name the tool as `named`. */
function named(tool: string, mcpName: string): RequestChoice {
  return modern('tools/call', { name: tool }, ['Mcp-Method', 'tools/call', 'Mcp-Name', mcpName])
}

describe('MCP 2026-07-28, Server Validation', () => {
  it('GD-17 passes a request whose headers agree with its body', async () => {
    expect(await answerTo(named('list_notes', 'list_notes'))).toEqual({ status: 200 })
    expect(await answerTo(modern('tools/list'))).toEqual({ status: 200 })
    const read = modern('resources/read', { uri: 'file:///a' }, [
      'mcp-method',
      'resources/read',
      'MCP-NAME',
      'file:///a',
    ])
    expect(await answerTo(read)).toEqual({ status: 200 })
  })

  it('GD-17 the headers are no way to another policy', async () => {
    expect((await answerTo(named('delete_note', 'delete_note'))).status).toBe(403)
    expect(await answerTo(named('delete_note', 'list_notes'))).toEqual(MISMATCH)
    expect(await answerTo(named('list_notes', 'delete_note'))).toEqual(MISMATCH)
    const asList = modern('tools/call', { name: 'delete_note' }, ['Mcp-Method', 'tools/list'])
    expect(await answerTo(asList)).toEqual(MISMATCH)
  })

  it.each([
    ['Mcp-Method is missing', ['Mcp-Name', 'list_notes']],
    ['Mcp-Name is missing', ['Mcp-Method', 'tools/call']],
    ['Mcp-Method is of another case', ['Mcp-Method', 'Tools/Call', 'Mcp-Name', 'list_notes']],
    ['Mcp-Name is of another case', ['Mcp-Method', 'tools/call', 'Mcp-Name', 'List_Notes']],
    ['Mcp-Name is empty', ['Mcp-Method', 'tools/call', 'Mcp-Name', '']],
    [
      'Mcp-Name stands twice',
      ['Mcp-Method', 'tools/call', 'Mcp-Name', 'list_notes', 'mcp-name', 'list_notes'],
    ],
    [
      'Mcp-Method stands twice',
      ['Mcp-Method', 'tools/call', 'MCP-METHOD', 'ping', 'Mcp-Name', 'list_notes'],
    ],
    ['Mcp-Name is a list', ['Mcp-Method', 'tools/call', 'Mcp-Name', 'list_notes, delete_note']],
    ['Mcp-Method has a NUL', ['Mcp-Method', 'tools/call\0', 'Mcp-Name', 'list_notes']],
    [
      'Mcp-Name is another in Base64',
      ['Mcp-Method', 'tools/call', 'Mcp-Name', base64('delete_note')],
    ],
    ['Mcp-Method is in Base64', ['Mcp-Method', base64('tools/call'), 'Mcp-Name', 'list_notes']],
  ])('GD-17 refuses when %s', async (_, headers) => {
    expect(await answerTo(modern('tools/call', { name: 'list_notes' }, headers))).toEqual(MISMATCH)
  })

  it.each(['2025-11-25', '2026-07-29', '', '2026-7-28', 'DRAFT', '2026-07-28, 2026-07-28'])(
    'GD-17 refuses the MCP-Protocol-Version %j over a body that names another',
    async (version) => {
      const { body } = modern('tools/list')
      const headers = ['MCP-Protocol-Version', version, 'Mcp-Method', 'tools/list']
      expect(await answerTo({ headers, body })).toEqual(MISMATCH)
    },
  )

  it('GD-17 refuses a modern body without MCP-Protocol-Version, and one that stands twice', async () => {
    const { body } = modern('tools/list')
    expect(await answerTo({ headers: ['Mcp-Method', 'tools/list'], body })).toEqual(MISMATCH)
    const twice =
      'MCP-Protocol-Version 2026-07-28 mcp-protocol-version 2026-07-28 Mcp-Method tools/list'
    expect(await answerTo({ headers: twice.split(' '), body })).toEqual(MISMATCH)
  })

  it('GD-17 a revision that is no text matches no header, and does not make a request old', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': ['2025-11-25'] }
    const body = message('tools/list', { _meta })
    expect(await answerTo({ body })).toEqual(MISMATCH)
    expect(await answerTo({ headers: ['MCP-Protocol-Version', '2025-11-25'], body })).toEqual(
      MISMATCH,
    )
  })

  it('GD-17 a header that names a modern revision is enough to need the others', async () => {
    for (const version of ['2026-07-28', '2027-01-01']) {
      const headers = ['MCP-Protocol-Version', version]
      expect(await answerTo({ headers, body: call('list_notes') })).toEqual(MISMATCH)
    }
  })

  it('§Sending Messages: notifications have no required headers, but none that lie', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/x' }
    const version = ['MCP-Protocol-Version', '2026-07-28']
    expect(await answerTo({ headers: version, body })).toEqual({ status: 200 })
    const lying = [...version, 'Mcp-Method', 'tools/call']
    expect(await answerTo({ headers: lying, body })).toMatchObject({ status: 400, code: -32020 })
  })

  it('§Standard Request Headers: what an extension means by Mcp-Name is its own affair', async () => {
    const own = modern('vendor/do', {}, ['Mcp-Method', 'vendor/do', 'Mcp-Name', 'x'])
    expect(await answerTo(own)).toEqual({ status: 200 })
    const task = (name: string) =>
      modern('tasks/get', { taskId: 't1' }, ['Mcp-Method', 'tasks/get', 'Mcp-Name', name])
    expect(await answerTo(task('t1'))).toEqual({ status: 200 })
    expect(await answerTo(task('t2'))).toEqual(MISMATCH)
  })

  describe('Value Encoding', () => {
    it('GD-33 a Base64 name is decoded before it is compared, and the policy reads the body', async () => {
      expect((await answerTo(named('日記', base64('日記')))).status).toBe(403)
      expect(await answerTo(named('日誌', base64('日誌')))).toEqual({ status: 200 })
      expect(await answerTo(named('list_notes', base64('list_notes')))).toEqual({ status: 200 })
      expect(await answerTo(named('日記', base64('日誌')))).toEqual(MISMATCH)
    })

    it('a plain name that looks like Base64 is not taken for itself', async () => {
      const look = '=?base64?literal?='
      expect(await answerTo(named(look, look))).toEqual(MISMATCH)
      expect(await answerTo(named(look, base64(look)))).toEqual({ status: 200 })
    })

    it.each([
      ['no padding', '=?base64?bGlzdF9ub3Rlcw?='],
      ['URL-safe letters', '=?base64?_-8=?='],
      ['blanks', '=?base64?bGlz dF9ub3Rlcw==?='],
      ['loose last bits', '=?base64?bGlzdF9ub3Rlcx==?='],
      ['more behind the padding', '=?base64?bGlzdF9ub3Rlcw==YQ==?='],
      ['no UTF-8', '=?base64?/w==?='],
      ['raw UTF-8', '\u00e6\u0097\u00a5'],
      ['a tab inside', 'list\tnotes'],
    ])('GD-17 a name with %s is refused', async (_, value) => {
      expect(await answerTo(named('list_notes', value))).toEqual(MISMATCH)
    })

    it('GD-17 bytes that are no text match no name, not even the sign that stands for them', async () => {
      expect(await answerTo(named('\ufffd', '=?base64?/w==?='))).toEqual(MISMATCH)
      expect(await answerTo(named('\ufffd', base64('\ufffd')))).toEqual({ status: 200 })
    })

    it('GD-17 the markers are case-sensitive, and other forms are plain texts', async () => {
      for (const value of [
        '=?BASE64?bGlzdF9ub3Rlcw==?=',
        '=?base64?bGlzdF9ub3Rlcw==',
        '=?utf-8?b?bGlzdA==?=',
      ]) {
        expect(await answerTo(named('list_notes', value))).toEqual(MISMATCH)
        expect(await answerTo(named(value, value))).toEqual({ status: 200 })
      }
    })

    it('GD-17 every name agrees with its own encoding, and with that of no other', async () => {
      const text = fc
        .string({ unit: 'grapheme', minLength: 1 })
        .filter((name) => !/\p{Cc}|\p{Cs}/u.test(name))
      await fc.assert(
        fc.asyncProperty(text, text, async (tool, other) => {
          expect((await answerTo(named(`x${tool}`, base64(`x${tool}`)))).status).toBe(200)
          const status = tool === other ? 200 : 400
          expect((await answerTo(named(`x${tool}`, base64(`x${other}`)))).status).toBe(status)
        }),
      )
    })
  })

  describe('Mcp-Param-*', () => {
    const names = ['Mcp-Method', 'tools/call', 'Mcp-Name', 'list_notes']
    const withParams = (...headers: string[]) =>
      answerTo(modern('tools/call', { name: 'list_notes' }, [...names, ...headers]))

    it('GW-11 what only the MCP server can compare passes untouched', async () => {
      expect(await withParams('Mcp-Param-Region', 'us-west1')).toEqual({ status: 200 })
      expect(await withParams('Mcp-Param-A', base64('Hello, 世界'), 'mcp-param-b', '')).toEqual({
        status: 200,
      })
      expect(await withParams('X-Mcp-Param-A', '\u00e9', 'Mcp_Param_A', '\0')).toEqual({
        status: 200,
      })
    })

    it.each([
      [['Mcp-Param-Tenant', 'a', 'Mcp-Param-Tenant', 'a']],
      [['Mcp-Param-Tenant', 'a', 'mcp-param-tenant', 'b']],
      [['Mcp-Param-Tenant', 'caf\u00e9']],
      [['Mcp-Param-Tenant', 'a\0']],
      [['Mcp-Param-Tenant', 'a\r\nX: y']],
      [['Mcp-Param-Tenant', '=?base64?!?=']],
    ])('GW-11 refuses %j', async (headers) => {
      expect(await withParams(...headers)).toEqual(MISMATCH)
    })
  })
})

describe('older revisions', () => {
  it.each([undefined, '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', 'garbage'])(
    'GW-10 the policy holds for the revision %s, without any Mcp-* header',
    async (version) => {
      const headers = version === undefined ? [] : ['MCP-Protocol-Version', version]
      expect((await answerTo({ headers, body: call('delete_note') })).status).toBe(403)
      expect(await answerTo({ headers, body: call('list_notes') })).toEqual({ status: 200 })
    },
  )

  it('GW-10 headers that an old client does not know must still not lie', async () => {
    const headers = ['MCP-Protocol-Version', '2025-06-18']
    const body = call('list_notes')
    expect(await answerTo({ headers: [...headers, 'Mcp-Name', 'delete_note'], body })).toEqual(
      MISMATCH,
    )
    expect(await answerTo({ headers: [...headers, 'Mcp-Method', 'ping'], body })).toEqual(MISMATCH)
    expect(await answerTo({ headers: [...headers, 'Mcp-Method', 'tools/call'], body })).toEqual({
      status: 200,
    })
  })

  it('GW-10 a response of a client passes with a token, and no header speaks for it', async () => {
    const body = { jsonrpc: '2.0', id: 1, result: {} }
    expect(await answerTo({ body })).toEqual({ status: 200 })
    expect(await answerTo({ headers: ['Mcp-Method', 'tools/call'], body })).toEqual(MISMATCH)
  })

  it('GD-18 GW-10 each message of a batch is judged', async () => {
    const harmless = message('tools/list')
    expect(await answerTo({ body: [harmless, call('list_notes')] })).toEqual({ status: 200 })
    for (const body of [
      [call('delete_note')],
      [harmless, call('delete_note')],
      [call('delete_note'), harmless],
      [harmless, { ...call('delete_note'), id: undefined }],
    ]) {
      expect((await answerTo({ body })).status).toBe(403)
    }
    for (const broken of [null, [], 'x', { method: 'tools/call' }, message('tools/call')]) {
      expect((await answerTo({ body: [harmless, broken] })).status).toBe(400)
    }
  })

  it.each(['2024-11-05', '2025-06-18', '2025-11-25', '2026-07-28', '2099-01-01', '', 'garbage'])(
    'GD-18 the revision %j has no batches',
    async (version) => {
      const headers = ['MCP-Protocol-Version', version]
      const answer = await answerTo({ headers, body: [message('tools/list')] })
      expect(answer).toMatchObject({ status: 400, code: -32600 })
      expect(answer.id).toBeUndefined()
    },
  )

  it('GD-18 a batch may not hold a modern message, nor headers that speak for one message', async () => {
    const { body } = modern('tools/list')
    expect(await answerTo({ body: [message('ping'), body] })).toMatchObject({ code: -32600 })
    const version = ['MCP-Protocol-Version', '2025-03-26']
    expect(await answerTo({ headers: version, body: [message('ping')] })).toEqual({ status: 200 })
    for (const header of ['Mcp-Method', 'Mcp-Name']) {
      const headers = [...version, header, 'ping']
      expect(await answerTo({ headers, body: [message('ping')] })).toMatchObject({ code: -32020 })
    }
  })

  it('GD-18 a batch has a hundred messages at most', async () => {
    const batch = (length: number) => Array.from({ length }, () => message('ping'))
    expect(await answerTo({ body: batch(100) })).toEqual({ status: 200 })
    expect(await answerTo({ body: batch(101) })).toMatchObject({ status: 400, code: -32600 })
  })
})
