/**
 * A store that fails at each step of a sign-in: 503 and never a success, and what can be tried again can.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { session } from '../../src/upstream/session.ts'
import { UpstreamError } from '../../src/upstream/upstream.ts'
import type { Page } from '../support/agent.ts'
import { createAgent } from '../support/agent.ts'
import { agentOf, authorizeUrl, decide, pkce, register } from '../support/flow.ts'
import { startServer } from '../support/server.ts'
import { arrive, depart, startWorld, UNLIMITED } from '../support/upstream_flow.ts'
import { answerOf, expectErrorPage, failing } from './support.ts'

const trouble: { on: string | undefined; error: () => Error } = {
  on: undefined,
  error: () => new StoreUnavailable('secret-of-the-store'),
}
const store = failing(
  (verb, kind) => `${verb} ${kind}` === trouble.on,
  () => trouble.error(),
)
const server = await startServer({ store, rateLimits: UNLIMITED })
const world = await startWorld({ store })
afterAll(async () => {
  await server.close()
  await world.close()
})
const client = await register(server)

async function during(on: string, step: () => Promise<Page>): Promise<Page> {
  trouble.on = on
  try {
    return await step()
  } finally {
    trouble.on = undefined
  }
}

function expectDown(page: Page): void {
  expectErrorPage(page, 503)
  expect(page.headers.get('retry-after')).toBe('5')
  expect(page.body).not.toContain('secret-of-the-store')
}

describe('the store is down', () => {
  it.each(['find client', 'insert ticket', 'list grant'])(
    'at the request, %s: 503, and the next try works',
    async (on) => {
      const url = authorizeUrl(server, client, pkce().challenge)
      const agent = agentOf('ada')
      const page = await during(on, () => agent.get(url))
      expectDown(page)
      expect(page.headers.getSetCookie()).toEqual([])
      expect((await agent.get(url)).status).toBe(200)
    },
  )

  it.each(['find ticket', 'find client', 'take ticket'])(
    'at the answer, %s: 503, and the same page works afterwards',
    async (on) => {
      const agent = agentOf('ada')
      const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
      for (const decision of ['approve', 'deny'] as const) {
        expectDown(await during(on, () => decide(server, agent, page, decision)))
      }
      expect((await decide(server, agent, page)).leadsTo).toContain('code=')
    },
  )

  it.each(['insert grant', 'list grant'])(
    'at the answer, %s: 503, and no code leaves',
    async (on) => {
      const agent = agentOf('ada')
      const page = await agent.get(authorizeUrl(server, client, pkce().challenge))
      const failed = await during(on, () => decide(server, agent, page))
      expectDown(failed)
      expect(failed.body).not.toContain('code=')
    },
  )

  it.each(['find ticket', 'find client', 'take ticket'])(
    'CB-19 at the callback, %s: 503, the provider is not asked, and the same address works afterwards',
    async (on) => {
      const departure = await depart(world)
      const callback = await world.provider.signIn(departure.upstreamUrl, 'ada')
      const before = world.provider.tokenCalls().all
      expectDown(await during(on, () => departure.agent.get(callback)))
      expect(world.provider.tokenCalls().all).toBe(before)
      expect(arrive(departure, await departure.agent.get(callback)).code).not.toBe('')
    },
  )

  it.each(['insert grant', 'insert connection', 'list grant'])(
    'CB-19 at the callback, %s: 503, no code, and a clean start again',
    async (on) => {
      const one = await register(world.server, { client_name: on })
      const departure = await depart(world, { client: one })
      const callback = await world.provider.signIn(departure.upstreamUrl, 'grace')
      const failed = await during(on, () => departure.agent.get(callback))
      expectDown(failed)
      expect(failed.body).not.toContain('code=')
      expectErrorPage(await departure.agent.get(callback))
      const again = await depart(world, { client: one })
      const second = await world.provider.signIn(again.upstreamUrl, 'grace')
      expect(arrive(again, await again.agent.get(second)).code).not.toBe('')
    },
  )

  it('LG-06 a bug is 500 with a reference, and tells nothing of itself', async () => {
    trouble.error = () => new TypeError('secret-of-the-bug at /srv/app.ts:1')
    const page = await during('find client', () =>
      agentOf('ada').get(authorizeUrl(server, client, pkce().challenge)),
    )
    trouble.error = () => new StoreUnavailable('secret-of-the-store')
    expectErrorPage(page, 500)
    expect(page.body).not.toContain('secret-of-the-bug')
    const [, reference = 'none'] = /<code>([\w-]{8})<\/code>/.exec(page.body) ?? []
    expect(server.events.at(-1)).toMatchObject({ type: 'internal_error', reference })
  })
})

describe('the app’s own login is down', () => {
  it.each([
    ['identify throws', { identify: () => Promise.reject(new Error('secret-of-the-app')) }],
    ['identify gives nonsense', { identify: () => ({ sub: '' }) }],
    ['signInUrl leads to script', { signInUrl: () => 'javascript:alert(1)' }],
    ['signInUrl splits headers', { signInUrl: () => 'https://x.example/\r\nSet-Cookie: pwn=1' }],
    ['signInUrl leads off in disguise', { signInUrl: () => '/\\evil.example' }],
  ])('AZ-43 %s: a page that says so, and no code', async (_what, parts) => {
    const broken = await startServer({
      rateLimits: UNLIMITED,
      upstream: (issuer) =>
        session({
          name: 'App',
          issuer,
          identify: () => undefined,
          signInUrl: () => '/login',
          ...parts,
        }),
    })
    const one = await register(broken)
    const page = await createAgent().get(authorizeUrl(broken, one, pkce().challenge))
    expectErrorPage(page, 502)
    expect(page.body).not.toMatch(/secret-of-the-app|evil|alert/)
    expect(broken.events.at(-1)?.type).toBe('upstream_failed')
    expect(broken.events.at(-1)?.error).toBeInstanceOf(UpstreamError)
    await broken.close()
  })

  it('between the page and the answer: the same page may be answered again', async () => {
    let down = false
    const flaky = await startServer({
      rateLimits: UNLIMITED,
      upstream: (issuer) =>
        session({
          name: 'App',
          issuer,
          identify: () => {
            if (down) throw new Error('down')
            return { sub: 'ada' }
          },
          signInUrl: () => '/login',
        }),
    })
    const agent = createAgent()
    const page = await agent.get(authorizeUrl(flaky, await register(flaky), pkce().challenge))
    down = true
    expectErrorPage(await decide(flaky, agent, page), 502)
    down = false
    expect(answerOf(await decide(flaky, agent, page)).has('code')).toBe(true)
    await flaky.close()
  })
})
