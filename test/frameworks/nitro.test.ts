/** Nitro, on which Nuxt stands, with the files of `docs/frameworks.md`, built for Node. */
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { program, programs } from './document.ts'
import { describeApp, startApp, type App } from './drive.ts'

const START_LIMIT = 240_000

let upstream: TestOidcProvider
let project: Project
let app: App

beforeAll(async () => {
  upstream = await startOidcProvider()
  const own = programs.filter((name) => /^(server|lib)\//.test(name))
  project = await installProject(join(import.meta.dirname, 'projects/nitro'), {
    files: Object.fromEntries(own.map((name) => [name, program(name)])),
  })
  app = await build()
}, START_LIMIT)
afterAll(async () => {
  await app.program.stop()
  await upstream.close()
})

async function build(): Promise<App> {
  await project.run('npx', ['nitropack', 'build'])
  await project.run('npx', ['tsc', '--noEmit'])
  return await startApp(project, upstream, {
    args: ['.output/server/index.mjs'],
    path: '/oauth',
    mcp: '/mcp',
  })
}

describe('Nitro', () => {
  describeApp(() => app)

  it("has the app's own pages beside it", async () => {
    expect(await (await fetch(app.origin)).text()).toContain('<h1>hello</h1>')
    expect((await fetch(`${app.origin}/register`)).status).toBe(404)
  })

  it('has nothing to tell of bodies that are too large', async () => {
    for (const url of [`${app.issuer}/token`, app.resource]) await sendEndless(url)
    expect(app.program.told()).not.toContain('uncaught')
  })
})

describe('Nitro with Fetch', () => {
  beforeAll(async () => {
    await app.program.stop()
    for (const name of programs.filter((one) => one.startsWith('elsewhere/'))) {
      writeFileSync(join(project.directory, name.replace('elsewhere/', '')), program(name))
    }
    app = await build()
  }, START_LIMIT)

  describeApp(() => app)
})

/** Sends pieces with no length until somebody stops it, and reads nothing. */
async function sendEndless(url: string): Promise<void> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const sent = request(url, { method: 'POST', headers })
  const pieces = Readable.from(Array<Buffer>(64).fill(Buffer.alloc(256 * 1024, 'a')))
  await pipeline(pieces, sent).catch(() => {})
  sent.destroy()
}
