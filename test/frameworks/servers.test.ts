/** Express 5 and 4, Hono, Fastify and node:http, with the programs of `docs/frameworks.md`. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { program, programs } from './document.ts'
import { callerOf, describeApp, startApp, type App } from './drive.ts'

const INSTALL_LIMIT = 180_000
const START_LIMIT = 60_000
const SERVERS = ['express', 'express_4', 'hono', 'fastify', 'node'] as const
type Server = (typeof SERVERS)[number]

let project: Project
let upstream: TestOidcProvider

beforeAll(async () => {
  upstream = await startOidcProvider()
  project = await installProject(join(import.meta.dirname, 'projects/servers'), {
    files: sources(),
  })
  await project.run('npx', ['tsc'])
}, INSTALL_LIMIT)
afterAll(() => upstream.close())

function textOf(server: Server): string {
  if (server !== 'express_4') return program(`${server}.ts`)
  return program('express.ts').replace(`from 'express'`, `from 'express-4'`)
}

/** The programs at the root, and below a path as the document says how to change them. */
function sources(): { readonly [path: string]: string } {
  const files: { [path: string]: string } = {
    'src/mcp_oauth.ts': program('mcp_oauth.ts'),
    'src/mcp.ts': program('mcp.ts'),
    'src/below/mcp_oauth.ts': program('below/mcp_oauth.ts'),
    'src/below/mcp.ts': program('mcp.ts'),
  }
  for (const server of SERVERS) {
    files[`src/${server}.ts`] = textOf(server)
    files[`src/below/${server}.ts`] = textOf(server).replaceAll(`'/mcp'`, `'/notes/mcp'`)
  }
  return files
}

describe.each(SERVERS)('%s', (server) => {
  let app: App

  beforeAll(async () => {
    const args = [`dist/${server}.js`]
    app = await startApp(project, upstream, { args, path: '', mcp: '/mcp' })
  }, START_LIMIT)
  afterAll(() => app.program.stop())

  describeApp(() => app)
})

describe.each(['express', 'hono', 'fastify', 'node'] as const)(
  '%s behind a proxy and below a path',
  (server) => {
    let app: App
    const closing: (() => unknown)[] = []

    beforeAll(async () => {
      app = await startApp(project, upstream, {
        args: [`dist/below/${server}.js`],
        path: '/notes',
        mcp: '/notes/mcp',
        before: async (port) => {
          const proxy = await startProxy(port)
          closing.push(() => proxy.close())
          return (proxy.address() as AddressInfo).port
        },
      })
    }, START_LIMIT)
    afterAll(async () => {
      await app.program.stop()
      for (const close of closing) close()
    })

    it('signs in with the official client, and the tool knows who calls', async () => {
      expect(await callerOf(app).call('whoami')).toEqual({ text: 'Ada Lovelace', signIns: 1 })
    })
  },
)

it('runs every program of the first half of the document, and of the last', () => {
  const others = programs.filter((name) => !/^(lib|server|elsewhere|src|app)\/|^vite/.test(name))
  const run = ['mcp_oauth.ts', 'mcp.ts', 'express.ts', 'hono.ts', 'fastify.ts', 'node.ts']
  expect(others).toEqual([...run, 'below/mcp_oauth.ts'])
})

/** The three locations that the document gives to nginx; anything else is somebody else's. */
const PASSED = [
  /^\/notes\//,
  /^\/\.well-known\/(oauth-authorization-server|openid-configuration)\/notes$/,
  /^\/\.well-known\/oauth-protected-resource\/notes\/mcp$/,
]

async function startProxy(port: number): Promise<ReturnType<typeof createServer>> {
  const proxy = createServer((req, res) => {
    const path = req.url?.split('?')[0] ?? ''
    if (!PASSED.some((pattern) => pattern.test(path))) {
      res.writeHead(404).end('another server')
      return
    }
    const headers = { ...req.headers, host: `127.0.0.1:${port}`, 'x-forwarded-for': '203.0.113.9' }
    const passed = request({ port, host: '127.0.0.1', path: req.url, method: req.method, headers })
    passed.once('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    passed.once('error', () => res.destroy())
    req.pipe(passed)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return proxy
}
