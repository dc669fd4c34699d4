import { Agent, request as send } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import type { ConfigFile } from '../../src/gateway/config_shape.ts'
import { judge } from '../../src/gateway/judge.ts'
import { createLog } from '../../src/gateway/log.ts'
import { createPlan } from '../../src/gateway/plan.ts'
import { serve, type Service } from '../../src/gateway/serve.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { session } from '../../src/upstream/session.ts'
import { startBackend } from './support/backend.ts'
import { UPSTREAM } from './support/gateway.ts'

const services: Service[] = []
afterEach(async () => {
  for (const service of services.splice(0)) await service.close()
})

const appLogin = session({
  name: 'App',
  identify: () => undefined,
  signInUrl: (back) => `/login?back=${encodeURIComponent(back)}`,
})

const plan = (config: ConfigFile = {}) =>
  createPlan({
    to: 'http://127.0.0.1:9/mcp',
    keys: [generateKey()],
    upstream: UPSTREAM,
    store: memory(),
    port: 0,
    issuer: 'http://localhost:8787',
    ...config,
  }).plan

async function run(config: ConfigFile = {}, lines: string[] = []): Promise<Service> {
  const service = await serve(
    plan(config),
    createLog((line) => void lines.push(line)),
  )
  services.push(service)
  return service
}

const registration = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    redirect_uris: ['https://c.example/cb'],
    token_endpoint_auth_method: 'none',
  }),
}

describe('a plan carried out', () => {
  it('serves, and hands each event to the log and to every listener', async () => {
    const lines: string[] = []
    const [one, two]: [unknown[], unknown[]] = [[], []]
    const onEvent = [
      (event: unknown) => void one.push(event),
      (event: unknown) => void two.push(event),
    ]
    const { url } = await run({ onEvent }, lines)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await fetch(`${url}/register`, registration)).status).toBe(201)
    expect(lines.join('')).toContain('"event":"client_registered"')
    expect(one).toMatchObject([{ type: 'client_registered' }])
    expect(two).toEqual(one)
  })

  it('closes the store that it opened, or was given', async () => {
    let closed = 0
    const store: Store = { ...memory(), close: () => Promise.resolve(void (closed += 1)) }
    const { close } = await serve(
      plan({ store }),
      createLog(() => {}),
    )
    await close()
    expect(closed).toBe(1)
  })

  it('closes the store when the port is taken', async () => {
    let closed = 0
    const store: Store = { ...memory(), close: () => Promise.resolve(void (closed += 1)) }
    const taken = await startBackend(() => {})
    await expect(
      serve(
        plan({ store, port: taken.port }),
        createLog(() => {}),
      ),
    ).rejects.toThrow('choose another --port')
    await taken.close()
    expect(closed).toBe(1)
  })

  it('GW-29 lets an answer of an OAuth route finish, and does not wait for idle connections', async () => {
    const inner = memory()
    let begun = (): void => {}
    const started = new Promise<void>((resolve) => (begun = resolve))
    const store: Store = {
      ...inner,
      async insert(kind, record) {
        if (kind !== 'client') return await inner.insert(kind, record)
        begun()
        await new Promise((resolve) => setTimeout(resolve, 200))
        return await inner.insert(kind, record)
      },
    }
    const service = await serve(
      plan({ store }),
      createLog(() => {}),
    )
    const agent = new Agent({ keepAlive: true })
    const req = send(`${service.url}/register`, { ...registration, agent })
    req.end(registration.body)
    await started
    const at = Date.now()
    const closed = service.close()
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    expect(res.statusCode).toBe(201)
    res.resume()
    await closed
    expect(Date.now() - at).toBeLessThan(2500)
    agent.destroy()
  })

  it.each(['127.0.0.1', 'localhost'])('listens on %s', async (host) => {
    const { url } = await run({ host })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('an address that this machine does not have is told', async () => {
    await expect(
      serve(
        plan({ host: '192.0.2.1' }),
        createLog(() => {}),
      ),
    ).rejects.toThrow('choose another --host')
  })
})

describe('a plan judged', () => {
  it('nothing is wrong with a sound one', () => {
    expect(judge(plan())).toEqual([])
    expect(judge(plan({ upstream: appLogin }))).toEqual([])
  })

  it('the app’s own login has no upstream token to pass on', () => {
    expect(judge(plan({ upstream: appLogin, identity: ['headers', 'upstream_token'] }))).toEqual([
      "identity: users of the app's own login have no upstream_token to be passed on",
    ])
  })

  it.each(['/token', '/authorize', '/callback', '/jwks', '/t/consent'])(
    'no endpoint can hide the route %s',
    (path) => {
      const issuer = path.startsWith('/t/')
        ? 'https://mcp.example.com/t'
        : 'https://mcp.example.com'
      const faults = judge(plan({ issuer, resource: `https://mcp.example.com${path}` }))
      expect(faults).toEqual([
        `no resource can stand at https://mcp.example.com${path}; sign-in needs that path`,
      ])
    },
  )

  it('faults of library, backends and upstream come together', () => {
    const faults = judge(
      plan({
        issuer: 'https://mcp.example.com?x',
        keys: ['short'],
        upstream: { name: 'github' },
        passHeaders: ['Cookie'],
        resources: [
          { resource: 'https://mcp.example.com/a', to: 'ftp://x' },
          { resource: 'https://mcp.example.com/readyz', to: 'http://127.0.0.1:9' },
        ],
      }),
    ).join('\n')
    for (const told of ['issuer', 'keys', 'readyz', 'Cookie', 'client_id is missing']) {
      expect(faults).toContain(told)
    }
    expect(faults).toMatch(/the backend \(to\) of https:\/\/mcp\.example\.com\/a is not an http/)
  })
})
