import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { protectFastify, protectFastifyRoute, toFastifyPlugin } from '../../src/adapters/fastify.ts'
import type { AuthInfo } from '../../src/guard/verifier.ts'
import type { McpOAuth } from '../../src/server/server.ts'
import { call, signIn } from '../support/flow.ts'
import { callAfterSignIn, describeAdapter, startApp, type Mount } from './framework.ts'

type Guarded = FastifyRequest & { auth?: AuthInfo }

/** What the app does behind the guard, in the way of Fastify. */
function returned({ auth, body }: Guarded, reply: FastifyReply): FastifyReply {
  if ((body as { method?: string } | undefined)?.method === 'fail') {
    throw new Error('thrown by the handler')
  }
  return reply.send({ auth, body })
}

/** The same by hand, some time after it has returned. */
function written({ auth, body }: Guarded, { raw }: FastifyReply): void {
  if ((body as { method?: string } | undefined)?.method === 'fail') {
    throw new Error('thrown by the handler')
  }
  setImmediate(() => {
    raw.writeHead(200, { 'content-type': 'application/json' })
    raw.end(JSON.stringify({ auth, body }))
  })
}

async function listenerOf(app: FastifyInstance): Promise<RequestListener> {
  await app.ready()
  return (req, res) => app.routing(req, res)
}

function around(handler: (request: Guarded, reply: FastifyReply) => unknown): Mount {
  return async (auth) => {
    const app = fastify()
    app.register(toFastifyPlugin(auth))
    app.register(protectFastify(auth, '/mcp', handler))
    app.get('/hello', () => 'hello')
    app.post('/echo', (request) => request.body)
    app.setErrorHandler<Error>((error, _, reply) => reply.code(418).send(error.message))
    return await listenerOf(app)
  }
}

describeAdapter('Fastify, with a reply of its own', around(returned))
describeAdapter('Fastify, with a reply written by hand', around(written))

/** The app has the route itself, and nobody touches it. */
const before: Mount = async (auth) => {
  const app = fastify()
  app.register(toFastifyPlugin(auth))
  app.register(protectFastifyRoute(auth, '/mcp'))
  app.post('/mcp', returned)
  app.get('/mcp', (_, reply) => reply.code(405).send())
  app.get('/hello', () => 'hello')
  app.setErrorHandler<Error>((error, _, reply) => reply.code(418).send(error.message))
  return await listenerOf(app)
}

describeAdapter('Fastify, before the routes of the app', before)

describe('Fastify, before the routes of the app', () => {
  it('guards the route however its path is spelt, with each of its methods', async () => {
    const { issuer } = await startApp(async (auth) => {
      const app = fastify({ routerOptions: { caseSensitive: false, ignoreTrailingSlash: true } })
      app.register(toFastifyPlugin(auth))
      app.register(protectFastifyRoute(auth, '/mcp'))
      app.register(async (inner) => inner.all('/mcp', returned))
      return await listenerOf(app)
    })
    for (const path of ['/mcp', '/MCP', '/mcp/', '/%6dcp', '/mcp?x', '/mcp#x', '//mcp', '/mcp;x']) {
      for (const method of ['POST', 'GET', 'DELETE', 'PUT', 'HEAD']) {
        const { status } = await fetch(`${issuer}${path}`, { method })
        expect([401, 404, 405], `${method} ${path}`).toContain(status)
      }
    }
  })

  it.each<[string, (app: FastifyInstance) => unknown]>([
    ['a parameter that may be missing', (app) => app.all('/mcp/:session?', returned)],
    ['a parameter', (app) => app.all('/:endpoint', returned)],
    ['a wildcard', (app) => app.all('/*', returned)],
    ['one more with a slash', (app) => app.all('/mcp', returned).all('/mcp/', returned)],
    ['one more below', (app) => app.all('/mcp', returned).all('/mcp/sse', returned)],
    ['no route', (app) => app.setNotFoundHandler(returned)],
  ])('guards the path where its route is %s', async (_, give) => {
    const { issuer } = await startApp(async (auth) => {
      const app = fastify()
      app.register(toFastifyPlugin(auth))
      app.register(protectFastifyRoute(auth, '/mcp'))
      give(app)
      app.get('/mcpublic', () => 'open')
      return await listenerOf(app)
    })
    for (const path of ['/mcp', '/MCP', '/mcp/', '/%6dcp', '/mcp?x', '//mcp', '/mcp/sse']) {
      for (const method of ['POST', 'GET', 'DELETE']) {
        const { status } = await fetch(`${issuer}${path}`, { method })
        expect([401, 404, 405], `${method} ${path}`).toContain(status)
      }
    }
    expect((await fetch(`${issuer}/mcpublic`)).status).toBe(200)
  })
})

describe('Fastify', () => {
  it('a transport of the MCP SDK finds the call, who calls, and the stream', async () => {
    const mount: Mount = async (auth) => {
      const app = fastify()
      app.register(toFastifyPlugin(auth))
      app.register(
        protectFastify(auth, '/mcp', async (request, reply) => {
          const server = new McpServer({ name: 'test', version: '1' })
          server.registerTool('whoami', {}, ({ authInfo }) => ({
            content: [{ type: 'text', text: JSON.stringify(authInfo?.extra) }],
          }))
          const transport = new StreamableHTTPServerTransport({})
          await server.connect(transport as Parameters<typeof server.connect>[0])
          await transport.handleRequest(request.raw, reply.raw, request.body)
        }),
      )
      return await listenerOf(app)
    }
    const app = await startApp(mount)
    const { tokens } = await signIn(app)
    const params = { name: 'whoami', arguments: {} }
    const answered = await call(app, tokens.access_token, 'tools/call', params)
    expect(answered.headers.get('content-type')).toBe('text/event-stream')
    expect(await answered.text()).toContain(String.raw`\"sub\":\"ada\"`)
  })

  it('leaves the parsers of the app as they are', async () => {
    const { issuer } = await startApp(around(returned))
    const body = JSON.stringify({ a: 1 })
    const headers = { 'content-type': 'application/json' }
    const echo = await fetch(`${issuer}/echo`, { method: 'POST', headers, body })
    expect(await echo.json()).toEqual({ a: 1 })
  })

  it.each([returned, written])('adds what the guard adds to the answer: %o', async (handler) => {
    const app = await startApp(around(handler))
    const { tokens } = await signIn(app)
    const origin = app.issuer
    const answered = await call(app, tokens.access_token, 'ping', {}, { origin })
    expect(answered.headers.get('access-control-allow-origin')).toBe(origin)
  })

  it('judges the target that was sent, not what the app makes of it', async () => {
    const mount: Mount = async (auth: McpOAuth) => {
      const app = fastify({ rewriteUrl: ({ url = '' }) => url.replace(/^\/below/, '') })
      app.register(toFastifyPlugin(auth))
      app.register(protectFastify(auth, '/mcp', returned))
      return await listenerOf(app)
    }
    expect((await callAfterSignIn(await startApp(mount, '/below'))).status).toBe(200)
  })

  it('nothing that claimed to be `auth` stays', async () => {
    const mount: Mount = async (auth) => {
      const app = fastify()
      app.addHook('onRequest', async (request) => {
        Object.assign(request, { auth: 'mallory' })
        Object.assign(request.raw, { auth: 'mallory' })
      })
      const open = { required: false }
      const tell = (request: Guarded) => ({ told: 'auth' in request || 'auth' in request.raw })
      app.register(protectFastify(auth, '/mcp', tell, open))
      return await listenerOf(app)
    }
    expect(await (await call(await startApp(mount), undefined)).json()).toEqual({ told: false })
  })

  it('an error of the OAuth routes goes to the error handler', async () => {
    const mount: Mount = async () => {
      const app = fastify()
      app.register(toFastifyPlugin({ handle: () => Promise.reject(new Error('thrown')) }))
      app.setErrorHandler<Error>((error, _, reply) => reply.code(418).send(error.message))
      return await listenerOf(app)
    }
    const answered = await fetch(`${(await startApp(mount)).issuer}/token`, { method: 'POST' })
    expect([answered.status, await answered.text()]).toEqual([418, 'thrown'])
  })
})
