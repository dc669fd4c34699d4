/** SvelteKit, with the files of `docs/frameworks.md`, built and served by its adapter for Node. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject } from '../support/project.ts'
import { program, programs } from './document.ts'
import { describeApp, startApp, type App } from './drive.ts'

const START_LIMIT = 240_000

let upstream: TestOidcProvider
let app: App

beforeAll(async () => {
  upstream = await startOidcProvider()
  const own = programs.filter((name) => /^src\/|^vite/.test(name))
  const project = await installProject(join(import.meta.dirname, 'projects/sveltekit'), {
    files: {
      ...Object.fromEntries(own.map((name) => [name, program(name)])),
      'src/lib/mcp_oauth.ts': program('lib/mcp_oauth.ts'),
      'src/lib/mcp.ts': program('lib/mcp.ts'),
    },
  })
  await project.run('npx', ['vite', 'build'])
  await project.run('npx', ['tsc', '--noEmit'])
  app = await startApp(project, upstream, {
    args: ['build/index.js'],
    path: '/oauth',
    mcp: '/mcp',
    env: (origin) => ({ ORIGIN: origin }),
  })
}, START_LIMIT)
afterAll(async () => {
  await app.program.stop()
  await upstream.close()
})

describe('SvelteKit', () => {
  describeApp(() => app)

  it("has the app's own pages beside it", async () => {
    expect(await (await fetch(app.origin)).text()).toContain('<h1>hello</h1>')
    expect((await fetch(`${app.origin}/register`)).status).toBe(404)
  })

  it("takes the app's own forms from its own pages, and from nowhere else", async () => {
    const send = (headers: { [name: string]: string }) =>
      fetch(app.origin, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ a: 'b' }),
      })
    expect((await send({ origin: app.origin })).status).toBe(200)
    for (const headers of [{}, { origin: 'null' }, { origin: 'https://evil.example' }]) {
      expect((await send(headers)).status).toBe(403)
    }
    for (const type of ['text/plain; charset=utf-8', 'Multipart/Form-Data; boundary=a', '']) {
      const headers = { 'content-type': type, origin: 'https://evil.example' }
      const sent = await fetch(app.origin, { method: 'POST', headers, body: 'a=b' })
      expect([type, sent.status]).toEqual([type, 403])
    }
  })
})
