import { getRequestListener } from '@hono/node-server'
import { createMcpHonoApp } from '@modelcontextprotocol/hono'
import { Hono, type Context } from 'hono'
import { describe, expect, it } from 'vitest'
import { protectHono, toHonoHandler, type GuardedVariables } from '../../src/adapters/hono.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import type { McpOAuth } from '../../src/server/server.ts'
import { call, register, signIn } from '../support/flow.ts'
import { callAfterSignIn, describeAdapter, startApp, type Mount } from './framework.ts'

type Env = { Variables: GuardedVariables<AuthInfo | undefined> }

/** What the app does behind the guard. */
function answer(c: Context<Env>): Response {
  const auth = c.get('auth')
  const body = c.get('parsedBody')
  if ((body as { method?: string } | undefined)?.method === 'fail') {
    throw new Error('thrown by the handler')
  }
  return c.json({ auth, body, scopes: auth?.scopes })
}

/** @param before middleware of the app that comes after the OAuth routes. */
function around(
  auth: McpOAuth,
  app: Hono<Env>,
  before?: Hono,
): ReturnType<typeof getRequestListener> {
  app.use(toHonoHandler(auth))
  if (before !== undefined) app.route('/', before)
  app.all('/mcp', protectHono(auth), answer)
  app.get('/hello', (c) => c.text('hello'))
  app.onError((error, c) => c.text(error.message, 418))
  return getRequestListener(app.fetch)
}

const READERS: { readonly [how: string]: (c: Context) => Promise<unknown> } = {
  text: (c) => c.req.text(),
  arrayBuffer: (c) => c.req.arrayBuffer(),
  blob: (c) => c.req.blob(),
  'parseBody or json': (c) =>
    c.req.header('content-type')?.startsWith('application/x-www-form') === true
      ? c.req.parseBody()
      : c.req.json().catch(() => {}),
}

describeAdapter('Hono', (auth) => around(auth, new Hono<Env>()))

describeAdapter('Hono, before the app of @modelcontextprotocol/hono', (auth) =>
  around(auth, new Hono<Env>(), createMcpHonoApp()),
)

for (const [how, read] of Object.entries(READERS)) {
  describeAdapter(`Hono, after middleware that has called ${how}`, (auth) => {
    const app = new Hono<Env>()
    app.use(async (c, next) => {
      if (c.req.method === 'POST') await read(c)
      await next()
    })
    return around(auth, app)
  })
}

describe('Hono', () => {
  it('the handler may read the request anew', async () => {
    const mount: Mount = (auth) => {
      const app = new Hono()
      app.use(toHonoHandler(auth))
      app.post('/mcp', protectHono(auth), async (c) => c.json(await c.req.raw.json()))
      return getRequestListener(app.fetch)
    }
    const answered = await callAfterSignIn(await startApp(mount))
    expect(await answered.json()).toMatchObject({ method: 'tools/list' })
  })

  it('says how to mend an app that has thrown the body away', async () => {
    const errors: string[] = []
    const mount: Mount = (auth) => {
      const app = new Hono()
      app.use(toHonoHandler(auth))
      app.post(
        '/mcp',
        async (c, next) => {
          await c.req.raw.text()
          await next()
        },
        protectHono(auth),
      )
      app.onError((error, c) => {
        errors.push(error.message)
        return c.text('', 418)
      })
      return getRequestListener(app.fetch)
    }
    expect((await callAfterSignIn(await startApp(mount))).status).toBe(418)
    expect(errors).toEqual([expect.stringContaining('mount it before what reads bodies')])
  })

  it('adds what the guard adds to the answer', async () => {
    const app = await startApp((auth) => around(auth, new Hono<Env>()))
    const { tokens } = await signIn(app)
    const origin = app.issuer
    const answered = await call(app, tokens.access_token, 'ping', {}, { origin })
    expect(answered.headers.get('access-control-allow-origin')).toBe(origin)
    expect(answered.status).toBe(200)
  })

  it('knows the address of the caller from the server of Node, or from the app', async () => {
    const seen: unknown[] = []
    const mount =
      (options?: { remoteAddress: () => string }): Mount =>
      (auth) => {
        const handle: McpOAuth['handle'] = (request) => {
          seen.push(request.remoteAddress)
          return auth.handle(request)
        }
        const app = new Hono()
        app.use(toHonoHandler({ handle }, options))
        return getRequestListener(app.fetch)
      }
    await register(await startApp(mount()))
    await register(await startApp(mount({ remoteAddress: () => '192.0.2.1' })))
    expect(seen).toEqual(['127.0.0.1', '192.0.2.1'])
  })
})
