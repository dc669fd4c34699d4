import { describe, expect, it } from 'vitest'
import { createGuard } from '../../src/guard/guard.ts'
import { OPEN_METHODS } from '../../src/guard/tool_policy.ts'
import { createEvents, type EmittedEvent } from '../../src/server/config/events.ts'
import {
  bodyOf,
  call,
  challengeOf,
  ISSUER,
  message,
  METADATA,
  modern,
  OTHER,
  passage,
  refusal,
  request,
  RESOURCE,
  statusOf,
  testGuard,
} from './support/guard.ts'

const optional = { required: false }
const insufficient = (scope: string) =>
  `Bearer error="insufficient_scope", scope="${scope}", resource_metadata="${METADATA}", ` +
  'error_description="this operation needs a scope that the token does not have"'

describe('tools and their scopes', () => {
  it('GD-19 a tool above the scope of the token is 403, with everything to ask for', async () => {
    const { guard } = testGuard()
    const refused = refusal(await guard(request({ token: 'good', body: call('delete_note') })))
    expect(refused.status).toBe(403)
    expect(challengeOf(refused)).toBe(insufficient('notes:read notes:write'))
    expect(bodyOf(refused)['error']).toBe('insufficient_scope')
  })

  it('GD-19 the challenge names all scopes of the operation at once, the granted ones included', async () => {
    const { guard } = testGuard()
    const to = async (token: string, body: unknown) =>
      challengeOf(refusal(await guard(request({ token, body }))))
    expect(await to('writer', call('purge'))).toBe(insufficient('notes:read notes:write admin'))
    expect(await to('none', call('purge'))).toBe(insufficient('notes:write admin'))
    const batch = [call('delete_note'), message('tools/list'), call('purge')]
    expect(await to('good', batch)).toBe(insufficient('notes:read notes:write admin'))
  })

  it('PR-06 no challenge names offline_access or what the resource does not know', async () => {
    const { guard, events } = testGuard()
    const verified = passage(await guard(request({ token: 'good', body: call('x') }))).authInfo
    if (verified === undefined) throw new Error('no user')
    const authInfo = { ...verified, scopes: ['offline_access', 'gone', 'notes:read', '"x'] }
    const verifier = { verify: () => Promise.resolve({ outcome: 'verified' as const, authInfo }) }
    const strange = testGuard({ verifier }).guard
    const refused = refusal(await strange(request({ token: 'good', body: call('delete_note') })))
    expect(challengeOf(refused)).toBe(insufficient('notes:read notes:write'))
    expect(events).toHaveLength(1)
  })

  it('MCP, Step-Up Authorization Flow: a broader scope implies narrower ones', async () => {
    const { guard } = testGuard()
    expect(await statusOf(guard, { token: 'admin', body: call('delete_note') })).toBe(200)
    expect(await statusOf(guard, { token: 'admin', body: call('purge') })).toBe(200)
    const flat = testGuard({ hierarchy: new Map() }).guard
    expect(await statusOf(flat, { token: 'admin', body: call('delete_note') })).toBe(403)
  })

  it('GD-33 a method or tool that is not declared needs a token and no more', async () => {
    const { guard } = testGuard()
    for (const method of [
      'resources/read',
      'prompts/get',
      'completion/complete',
      'logging/setLevel',
      'subscriptions/listen',
      'tasks/get',
      'no/such/method',
      'constructor',
      '__proto__',
    ]) {
      expect(await statusOf(guard, { token: 'none', body: message(method, {}) })).toBe(200)
      expect(await statusOf(guard, { body: message(method, {}) }, optional)).toBe(401)
    }
    for (const tool of [
      'constructor',
      '__proto__',
      'toString',
      'Delete_Note',
      'delete_note ',
      '',
    ]) {
      expect(await statusOf(guard, { token: 'none', body: call(tool) })).toBe(200)
      expect(await statusOf(guard, { body: call(tool) }, optional)).toBe(401)
    }
  })

  it('GD-33 a resource or prompt of a tool’s name is no tool', async () => {
    const { guard } = testGuard()
    const body = message('prompts/get', { name: 'delete_note' })
    expect(await statusOf(guard, { token: 'none', body })).toBe(200)
  })

  it('PR-11 each resource has its own tools', async () => {
    const { guard } = testGuard()
    const choice = { token: 'foreign', path: '/other/mcp', body: call('purge') }
    expect(await statusOf(guard, choice)).toBe(200)
  })

  it('GD-19 the same in the modern revision', async () => {
    const { guard } = testGuard()
    const headers = ['Mcp-Method', 'tools/call', 'Mcp-Name', 'delete_note']
    const choice = modern('tools/call', { name: 'delete_note' }, headers)
    expect(await statusOf(guard, { token: 'good', ...choice })).toBe(403)
    expect(await statusOf(guard, { token: 'writer', ...choice })).toBe(200)
  })
})

describe('required: false', () => {
  it.each([...OPEN_METHODS])('%s passes without a token', async (method) => {
    const { guard, events, asked } = testGuard()
    const body = message(method, {})
    const passed = passage(await guard(request({ body }), optional))
    expect(passed.authInfo).toBeUndefined()
    expect(passed.message).toEqual(body)
    expect(passed.body).toBeInstanceOf(Uint8Array)
    expect(await statusOf(guard, modern(method), optional)).toBe(200)
    expect(events).toEqual([])
    expect(asked).toEqual([])
  })

  it('the list of open methods is closed', () => {
    expect([...OPEN_METHODS]).toEqual([
      'initialize',
      'notifications/initialized',
      'ping',
      'server/discover',
      'tools/list',
      'resources/list',
      'resources/templates/list',
      'prompts/list',
    ])
  })

  it('where it is not said, everything needs a token', async () => {
    const { guard } = testGuard()
    for (const method of OPEN_METHODS) {
      expect(await statusOf(guard, { body: message(method) })).toBe(401)
      expect(await statusOf(guard, { body: message(method) }, { required: true })).toBe(401)
    }
  })

  it('GD-01 a call of a tool is 401, and the challenge names what the tool needs', async () => {
    const { guard, events } = testGuard()
    const refused = refusal(await guard(request({ body: call('purge') }), optional))
    expect(refused.status).toBe(401)
    expect(challengeOf(refused)).toBe(
      `Bearer scope="notes:read notes:write admin", resource_metadata="${METADATA}"`,
    )
    expect(events).toMatchObject([{ type: 'request_refused', reason: 'no_token' }])
    expect(await statusOf(guard, { body: call('undeclared') }, optional)).toBe(401)
  })

  it.each(['GET', 'HEAD', 'DELETE'])(
    'GD-13 MCP, Transports: %s is 405 without a token, so that nobody who only looks round must sign in',
    async (method) => {
      const { guard } = testGuard()
      const refused = refusal(await guard(request({ method }), optional))
      expect(refused.status).toBe(405)
      expect(refused.headers).toMatchObject({ allow: 'POST' })
      expect(challengeOf(refused)).toContain(`resource_metadata="${METADATA}"`)
      expect(await statusOf(guard, { method, token: 'expired' }, optional)).toBe(401)
      expect(await statusOf(guard, { method, token: 'good' }, optional)).toBe(200)
    },
  )

  it('GD-18 one closed message closes its batch', async () => {
    const { guard } = testGuard()
    expect(
      await statusOf(guard, { body: [message('ping'), message('tools/list')] }, optional),
    ).toBe(200)
    const mixed = [message('ping'), call('x')]
    expect(await statusOf(guard, { body: mixed }, optional)).toBe(401)
    expect(await statusOf(guard, { body: [{ jsonrpc: '2.0', id: 1, result: {} }] }, optional)).toBe(
      401,
    )
  })

  it('GD-18 an open header over a closed body opens nothing', async () => {
    const { guard } = testGuard()
    const lying = modern('tools/call', { name: 'purge' }, ['Mcp-Method', 'tools/list'])
    expect(await statusOf(guard, lying, optional)).toBe(400)
    for (const method of [
      'tools/List',
      'tools/list ',
      'tools//list',
      'initialize/x',
      'Initialize',
    ]) {
      expect(await statusOf(guard, { body: message(method) }, optional)).toBe(401)
    }
  })

  it('a token that does not hold is 401 even for what is open', async () => {
    const { guard } = testGuard()
    for (const token of ['expired', 'revoked', 'foreign', 'forged']) {
      expect(await statusOf(guard, { token, body: message('tools/list') }, optional)).toBe(401)
    }
    const passed = passage(
      await guard(request({ token: 'good', body: message('tools/list') }), optional),
    )
    expect(passed.authInfo?.extra.subject).toBe('user-1')
  })

  it('GD-22 a stranger may send 64 KiB; for more the answer is to sign in', async () => {
    const { guard } = testGuard()
    const padded = (length: number) => message('initialize', { capabilities: 'x'.repeat(length) })
    expect(await statusOf(guard, { body: padded(60_000) }, optional)).toBe(200)
    const sent = request({ body: padded(70_000) })
    const refused = refusal(await guard(sent, optional))
    expect(refused.status).toBe(401)
    expect(challengeOf(refused)).toContain('resource_metadata')
    expect(sent.reads).toEqual([64 * 1024])
    const small = testGuard({ maxBody: 100 }).guard
    expect(await statusOf(small, { body: padded(200) }, optional)).toBe(401)
  })

  it('a body that is no message is 400 for a stranger too', async () => {
    const { guard } = testGuard()
    expect(await statusOf(guard, { body: '{' }, optional)).toBe(400)
    expect(await statusOf(guard, { body: '[]' }, optional)).toBe(400)
  })
})

describe('events', () => {
  it('tell who called which tool, and who was refused it for which scopes', async () => {
    const { guard, events } = testGuard()
    const who = { resource: RESOURCE, client_id: 'client-1', subject: 'user-1', grantId: 'grant-1' }
    await guard(request({ token: 'writer', body: [call('delete_note'), call('list_notes')] }))
    await guard(request({ token: 'good', body: call('delete_note') }))
    expect(events).toEqual([
      { type: 'tool_allowed', tool: 'delete_note', scope: ['notes:write'], ...who },
      { type: 'tool_allowed', tool: 'list_notes', scope: undefined, ...who },
      {
        type: 'tool_refused',
        tool: 'delete_note',
        scope: ['notes:write'],
        reason: 'insufficient_scope',
        ...who,
      },
    ])
  })

  it('hold no token, and no more of a tool’s name than a name is long', async () => {
    const { guard, events } = testGuard()
    await guard(request({ token: 'writer', body: call('x'.repeat(100_000)) }))
    expect(events[0]?.tool).toHaveLength(200)
    for (const token of ['writer', 'forged', 'expired']) {
      await guard(request({ token, body: 'x' }))
      expect(JSON.stringify(events)).not.toContain(token === 'expired' ? '"token"' : token)
    }
  })

  it('are what the one stream of events takes', async () => {
    const stream: EmittedEvent[] = []
    const { emit } = createEvents([(event) => stream.push(event)], () => 7)
    const guard = createGuard({
      issuer: ISSUER,
      resources: [{ resource: OTHER, name: 'Other', scopes: [], tools: new Map() }],
      hierarchy: new Map(),
      scopes: [],
      defaultScope: [],
      allowedOrigins: [],
      verifier: { verify: () => Promise.resolve({ outcome: 'refused', reason: 'expired' }) },
      emit,
    })
    await guard(request({ token: 'x' }))
    expect(stream).toMatchObject([{ type: 'request_refused', reason: 'expired', at: 7 }])
  })
})
