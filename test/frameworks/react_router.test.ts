/** React Router as a framework, once Remix, with the files of `docs/frameworks.md`, built and served by its own server. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject } from '../support/project.ts'
import { program, programs } from './document.ts'
import { describeApp, startApp, type App } from './drive.ts'

const START_LIMIT = 240_000
const SERVE = 'node_modules/@react-router/serve/bin.js'

let upstream: TestOidcProvider
let app: App

beforeAll(async () => {
  upstream = await startOidcProvider()
  const own = programs.filter((name) => name.startsWith('app/'))
  const project = await installProject(join(import.meta.dirname, 'projects/react-router'), {
    files: {
      ...Object.fromEntries(own.map((name) => [name, program(name)])),
      'app/lib/mcp_oauth.ts': program('lib/mcp_oauth.ts'),
      'app/lib/mcp.ts': program('lib/mcp.ts'),
    },
  })
  await project.run('npx', ['react-router', 'build'])
  await project.run('npx', ['react-router', 'typegen'])
  await project.run('npx', ['tsc'])
  app = await startApp(project, upstream, {
    args: [SERVE, 'build/server/index.js'],
    path: '/oauth',
    mcp: '/mcp',
    env: () => ({ NODE_ENV: 'production' }),
  })
}, START_LIMIT)
afterAll(async () => {
  await app.program.stop()
  await upstream.close()
})

describe('React Router', () => {
  describeApp(() => app)

  it("has the app's own pages beside it", async () => {
    expect(await (await fetch(app.origin)).text()).toContain('<h1>hello</h1>')
    expect((await fetch(`${app.origin}/register`)).status).toBe(404)
  })

  it("leaves the app's own forms to React Router", async () => {
    const send = (origin: string) =>
      fetch(`${app.origin}/?index`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ a: 'b' }),
      })
    expect((await send(app.origin)).status).toBe(200)
    expect((await send('https://evil.example')).status).toBe(400)
  })
})
