/**
 * One stream of events tells what happened, once, and whom it was about.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authorize, call, post, redeem, refresh, register, signIn } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer({
    resourceServer: {
      client_id: 'resource-server',
      client_secret: 'the-secret-of-a-resource-server-0123456',
    },
    rateLimits: { token: 20 },
  })
})
afterAll(() => server.close())

/** The events that `act` causes. */
async function eventsOf(act: () => Promise<unknown>) {
  const before = server.events.length
  await act()
  return server.events.slice(before)
}

describe('LG-04 security events', () => {
  it('a whole sign-in, step by step', async () => {
    const { grantId, types } = await (async () => {
      const events = await eventsOf(async () => {
        const { client, tokens } = await signIn(server)
        await call(server, tokens.access_token, 'tools/call', {
          name: 'delete_note',
          arguments: {},
        })
        await refresh(server, client, tokens.refresh_token)
        await post(server, '/revoke', { token: tokens.refresh_token, client_id: client.client_id })
      })
      const begun = events.find(({ type }) => type === 'grant_begun')
      return { grantId: begun?.grantId, types: events.map(({ type }) => type) }
    })()
    expect(types).toEqual([
      'client_registered',
      'consent_shown',
      'consent_given',
      'grant_begun',
      'tool_allowed',
      'grant_refreshed',
      'grant_ended',
    ])
    expect(grantId).toEqual(expect.any(String))
  })

  it('a replayed code and a reused refresh token: one event each, with grant, client and user', async () => {
    const { authorized, tokens, client } = await signIn(server)
    const replayed = await eventsOf(() => redeem(server, authorized))
    expect(replayed).toContainEqual(
      expect.objectContaining({
        type: 'grant_ended',
        reason: 'code_reused',
        client_id: client.client_id,
        subject: expect.any(String),
        grantId: expect.any(String),
      }),
    )
    const refused = await eventsOf(() => refresh(server, client, tokens.refresh_token))
    expect(refused).toMatchObject([{ type: 'token_refused', about: '/token' }])
  })

  it.each([
    ['/token', 'token_refused', 'grant_type=refresh_token&refresh_token=x&client_id=nobody'],
    ['/revoke', 'revocation_refused', 'token=x&client_id=nobody'],
    ['/introspect', 'introspection_refused', 'token=x'],
    ['/register', 'client_refused', 'client_name=form'],
  ])('a refusal at %s is one %s, with the network of the caller', async (path, type, form) => {
    const events = await eventsOf(() => post(server, path, form))
    expect(events).toMatchObject([{ type, about: path, network: '127.0.0.0/24' }])
  })

  it('LG-01 LG-02 no token, code, secret or state is in any of them', async () => {
    const { client, tokens, authorized } = await signIn(server)
    await refresh(server, client, tokens.refresh_token)
    await redeem(server, authorized)
    const told = JSON.stringify(server.events)
    for (const secret of [
      tokens.access_token,
      tokens.refresh_token,
      authorized.code,
      authorized.verifier,
      'a state',
    ]) {
      expect(told).not.toContain(secret)
    }
  })
})

describe('RFC 6585 §4 rate limits', () => {
  it('DS-07 TK-36 a storm of refreshes is slowed down, and nobody is kept from redeeming a code', async () => {
    const client = await register(server)
    const authorized = await authorize(server, client)
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => refresh(server, client, 'mcp_rt_guess')),
    )
    const slowed = answers.filter(({ status }) => status === 429)
    expect(slowed.length).toBeGreaterThan(30)
    for (const { headers, body } of slowed) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      expect(body['error']).toBe('temporarily_unavailable')
    }
    expect((await redeem(server, authorized)).status).toBe(200)
  })

  it('MI-05 each replica counts for itself, as the manual says', async () => {
    const other = await startServer({ rateLimits: { token: 5 } })
    try {
      const ask = () =>
        post(other, '/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'x' })
      const statuses = (await Promise.all(Array.from({ length: 8 }, ask))).map(
        ({ status }) => status,
      )
      expect(statuses.filter((status) => status === 429)).toHaveLength(3)
    } finally {
      await other.close()
    }
  })
})
