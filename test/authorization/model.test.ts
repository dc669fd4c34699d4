/**
 * Every order of steps, over several browsers and clients, beside a model of what may come of each.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { createMcpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { UpstreamError, type RedirectUpstream } from '../../src/upstream/upstream.ts'
import { pkce, toForm } from '../support/flow.ts'
import { SCOPES } from '../support/server.ts'
import { UNLIMITED } from '../support/upstream_flow.ts'

const ISSUER = 'https://auth.example.com'
const CLIENTS = ['one', 'two'].map((client_id) => ({
  client_id,
  redirect_uris: [`https://${client_id}.example/cb`],
}))

/** The network's edge: whoever comes with `code=<user>` is that user, and each code is counted. */
function createUpstream(exchanged: string[]): RedirectUpstream {
  return {
    type: 'redirect',
    id: 'edge',
    name: 'Edge',
    authorizationUrl: async ({ state }) => `https://id.example/auth?state=${state}`,
    async exchange(query, { state }) {
      const parameters = new URLSearchParams(query)
      exchanged.push(state)
      if (parameters.get('state') !== state) throw new UpstreamError('permanent', 'another state')
      const sub = parameters.get('code') ?? ''
      const user = {
        issuer: 'https://id.example',
        sub,
        name: sub,
        email: undefined,
        email_verified: false,
      }
      const tokens = {
        access_token: `upstream of ${sub}`,
        refresh_token: undefined,
        expires_in: undefined,
        scope: undefined,
        token_endpoint: 'https://id.example/token',
      }
      return { tokens, user }
    },
    refresh: async () => {
      throw new UpstreamError('transient', 'not here')
    },
    revoke: async () => undefined,
  }
}

/** One sign-in as the model sees it. */
interface Tab {
  readonly browser: number
  readonly client: number
  readonly begun: number
  readonly ticket: string
  readonly csrf: string
  readonly secret: string
  step: 'consent' | 'upstream' | 'over'
  state: string
  codes: number
}

type Step =
  | { kind: 'open'; browser: number; client: number }
  | { kind: 'answer'; browser: number; tab: number; decision: 'approve' | 'deny' }
  | { kind: 'arrive'; browser: number; tab: number }
  | { kind: 'mix'; browser: number; tab: number; other: number }
  | { kind: 'wait'; seconds: number }

const small = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('open'),
      browser: small,
      client: fc.nat(1),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('answer'),
      browser: small,
      tab: fc.nat(5),
      decision: fc.constantFrom('approve', 'approve', 'approve', 'deny'),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('arrive'),
      browser: small,
      tab: fc.nat(5),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mix'),
      browser: small,
      tab: fc.nat(5),
      other: fc.nat(5),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      seconds: fc.integer({ min: 1, max: 400 }),
    }) as fc.Arbitrary<Step>,
  },
)

function createWorld() {
  let now = 1_800_000_000
  const exchanged: string[] = []
  const auth = createMcpOAuth({
    issuer: ISSUER,
    resource: `${ISSUER}/mcp`,
    scopes: SCOPES,
    clients: CLIENTS,
    keys: [generateKey()],
    store: memory(),
    upstream: createUpstream(exchanged),
    rateLimits: UNLIMITED,
    clock: () => now,
  })
  const jars = [0, 1, 2].map(() => new Map<string, string>())
  const tabs: Tab[] = []

  async function send(browser: number, path: string, form?: URLSearchParams) {
    const jar = jars[browser] ?? new Map<string, string>()
    const response = await auth.fetch(
      new Request(ISSUER + path, {
        headers: {
          cookie: [...jar].map((pair) => pair.join('=')).join('; '),
          'sec-fetch-site': 'same-origin',
        },
        ...(form && { method: 'POST', body: form }),
      }),
    )
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', rest = ''] = /^([^=]*)=([^;]*)(.*)$/.exec(line) ?? []
      if (rest.includes('Max-Age=0')) jar.delete(name)
      else jar.set(name, value)
    }
    const body = await response.text()
    const [, refresh = ''] = /content="0;url=([^"]*)"/.exec(body) ?? []
    return { status: response.status, body, leadsTo: refresh.replaceAll('&amp;', '&') }
  }

  const alive = (tab: Tab): boolean => now < tab.begun + 600

  async function open(browser: number, client: number): Promise<void> {
    const { client_id, redirect_uris } = CLIENTS[client] ?? { client_id: '', redirect_uris: [] }
    const query = toForm({
      response_type: 'code',
      client_id,
      redirect_uri: redirect_uris[0],
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
      state: `tab ${tabs.length}`,
    })
    const { status, body } = await send(browser, `/authorize?${query}`)
    expect(status).toBe(200)
    const field = (name: string): string =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? ''
    const ticket = field('ticket')
    const secret = jars[browser]?.get(`__Host-mcp_oauth_${ticket}`) ?? ''
    tabs.push({
      browser,
      client,
      begun: now,
      ticket,
      csrf: field('csrf'),
      secret,
      step: 'consent',
      state: '',
      codes: 0,
    })
  }

  async function answer(browser: number, tab: Tab, decision: 'approve' | 'deny'): Promise<void> {
    const form = new URLSearchParams({ ticket: tab.ticket, csrf: tab.csrf, decision })
    const { status, leadsTo } = await send(browser, '/consent', form)
    const good = tab.step === 'consent' && tab.browser === browser && alive(tab)
    if (!good) {
      expect([leadsTo, [400, 403].includes(status)]).toEqual(['', true])
      return
    }
    if (decision === 'deny') {
      expect(leadsTo).toMatch(
        `https://${CLIENTS[tab.client]?.client_id}.example/cb?error=access_denied&`,
      )
      tab.step = 'over'
      return
    }
    const [, state = ''] = /^https:\/\/id\.example\/auth\?state=([\w-]{29})$/.exec(leadsTo) ?? []
    expect(state).not.toBe('')
    tab.state = state
    tab.step = 'upstream'
  }

  async function arrive(browser: number, tab: Tab): Promise<void> {
    const before = exchanged.length
    const { status, leadsTo } = await send(
      browser,
      `/callback?code=user${browser}&state=${tab.state}`,
    )
    const good = tab.step === 'upstream' && tab.browser === browser && alive(tab)
    if (!good) {
      expect([leadsTo, [400, 403].includes(status), exchanged.length]).toEqual(['', true, before])
      return
    }
    tab.step = 'over'
    tab.codes += 1
    const { host, searchParams } = new URL(leadsTo)
    expect(host).toBe(`${CLIENTS[tab.client]?.client_id}.example`)
    expect(searchParams.get('state')).toBe(`tab ${tabs.indexOf(tab)}`)
    expect(searchParams.get('iss')).toBe(ISSUER)
    expect(searchParams.has('code')).toBe(true)
  }

  /** The parts of two sign-ins put together, and the handle of one step at the other: never anything. */
  async function mix(browser: number, tab: Tab, other: Tab): Promise<void> {
    const before = exchanged.length
    const forms = [
      { ticket: tab.state || 'none', csrf: tab.csrf },
      { ticket: tab.ticket, csrf: tab === other ? tab.secret : other.csrf },
    ]
    for (const form of forms) {
      const { leadsTo } = await send(
        browser,
        '/consent',
        new URLSearchParams({ ...form, decision: 'approve' }),
      )
      expect(leadsTo).toBe('')
    }
    expect((await send(browser, `/callback?code=x&state=${tab.ticket}`)).leadsTo).toBe('')
    expect(exchanged).toHaveLength(before)
  }

  return {
    auth,
    tabs,
    exchanged,
    open,
    answer,
    arrive,
    mix,
    wait: (seconds: number) => void (now += seconds),
  }
}

it('RFC 9700 §4.7 CO-12 CO-14 CB-03 CB-04 CB-05 AZ-45 a code comes of one browser’s own steps in their order, and of nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = createWorld()
      for (const one of steps) {
        if (one.kind === 'open') await world.open(one.browser, one.client)
        if (one.kind === 'wait') world.wait(one.seconds)
        if (one.kind === 'open' || one.kind === 'wait' || world.tabs.length === 0) continue
        const tab = world.tabs[one.tab % world.tabs.length]
        if (tab === undefined) continue
        if (one.kind === 'answer') await world.answer(one.browser, tab, one.decision)
        if (one.kind === 'arrive') await world.arrive(one.browser, tab)
        if (one.kind === 'mix') {
          await world.mix(one.browser, tab, world.tabs[one.other % world.tabs.length] ?? tab)
        }
      }
      expect(world.tabs.every(({ codes }) => codes <= 1)).toBe(true)
      expect(new Set(world.exchanged).size).toBe(world.exchanged.length)
    }),
    { numRuns: 150 },
  )
})
