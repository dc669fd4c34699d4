/** Nitro, on which Nuxt stands, with the files of `docs/frameworks.md`, built for Node. */
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
  const own = programs.filter((name) => /^(server|lib)\//.test(name))
  const project = await installProject(join(import.meta.dirname, 'projects/nitro'), {
    files: Object.fromEntries(own.map((name) => [name, program(name)])),
  })
  await project.run('npx', ['nitropack', 'build'])
  await project.run('npx', ['tsc', '--noEmit'])
  app = await startApp(project, upstream, {
    args: ['.output/server/index.mjs'],
    path: '/oauth',
    mcp: '/mcp',
  })
}, START_LIMIT)
afterAll(async () => {
  await app.program.stop()
  await upstream.close()
})

describe('Nitro', () => {
  describeApp(() => app)

  it("has the app's own pages beside it", async () => {
    expect(await (await fetch(app.origin)).text()).toContain('<h1>hello</h1>')
    expect((await fetch(`${app.origin}/register`)).status).toBe(404)
  })
})
