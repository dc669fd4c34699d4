/**
 * An agent that follows the skill by hand: its blocks become files of a project, which compiles against the
 * package as published, runs, and signs users in.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free_port.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'
import { expectSignIn } from './drive.ts'
import { blockOf, blocksOf, DOCUMENTS, read, withUpstream } from './skill.ts'

const PROJECT = join(import.meta.dirname, 'projects/servers')

/** Where each server stands in the skill. */
const SERVERS = {
  node: ['references/node.md', 'node:http'],
  express: ['references/express.md', 'SDK v2'],
  express_v1: ['references/express.md', 'SDK v1'],
  hono: ['references/hono.md', 'Hono'],
  fastify: ['references/fastify.md', 'Fastify'],
  fetch: ['references/fetch.md', 'Workers'],
} as const

const ON_A_DISK = Object.keys(SERVERS).filter((name) => name !== 'fetch')

const KEYS_COMMAND =
  blocksOf('SKILL.md').find(({ text }) => text.includes('keys generate'))?.text ?? 'false'
const UPSTREAMS = blocksOf('references/upstreams.md').filter(({ file }) => file !== undefined)
const AUTH = blockOf('SKILL.md', 'mcp_oauth.ts')
const WORKERS_AUTH = blockOf('references/fetch.md', 'mcp_oauth.ts')
/** Stands in for the runtime that calls a module's `fetch`. The runtimes themselves have tests of their own. */
const FETCH_RUNTIME = `import { serve } from '@hono/node-server'
import server from './server.js'
serve({ fetch: server.fetch, port: Number(process.env['PORT']), hostname: '127.0.0.1' })
`

/** What the skill leaves to the app that has a login of its own. */
const SESSION = `interface Account { readonly id: string; readonly name: string; readonly email: string }
export function readSession(cookie: string): Promise<Account | undefined> {
  return Promise.resolve(cookie === '' ? undefined : { id: cookie, name: 'Ada', email: 'a@example.com' })
}
`

/** A module that compiles only if there is what the skill says of options and of `auth` outside of its blocks. */
function sayings(): string {
  const text = DOCUMENTS.map((document) => read(document)).join('\n')
  const values = [...text.matchAll(/`(\w+: (?:\{[^`…]*\}|\[[^`…]*\]))`/g)].map(([, code]) => code)
  const names = [...text.matchAll(/`(registration|lifetimes|allow|rateLimits)\.(\w+)`/g)]
  const members = new Set([...text.matchAll(/\bauth\.(\w+)/g)].map(([, name]) => name))
  return [
    `import type { McpOAuth, Options } from '@mcp-oauth/server'`,
    `export const values: Partial<Options>[] = [${values.map((code) => `{ ${code} }`).join(', ')}]`,
    ...names.map(
      ([, option, name], index) =>
        `export type Name${index} = NonNullable<Options['${option}']>['${name}']`,
    ),
    ...[...members].map((name, index) => `export type Member${index} = McpOAuth['${name}']`),
    '',
  ].join('\n')
}

function filesOf(provider: TestOidcProvider): { [path: string]: string } {
  const oidc = blockOf('references/upstreams.md', 'mcp_oauth.ts', 'Any OpenID')
  const atProvider = (text: string) =>
    text.replaceAll('https://api.github.com/user', provider.notesUrl)
  const files: { [path: string]: string } = { 'src/sayings.ts': sayings() }
  for (const [name, [document, section]] of Object.entries(SERVERS)) {
    files[`src/${name}/mcp_oauth.ts`] = withUpstream(AUTH, oidc)
    files[`src/${name}/server.ts`] = blockOf(document, 'server.ts', section)
    files[`src/${name}/tools.ts`] = atProvider(blockOf('SKILL.md', 'tools.ts'))
  }
  files['src/fetch/mcp_oauth.ts'] = withUpstream(WORKERS_AUTH, oidc)
  files['src/fetch/main.ts'] = FETCH_RUNTIME
  files['src/express_v1/tools.ts'] = atProvider(blockOf('references/express.md', 'tools.ts'))
  for (const [index, { text }] of UPSTREAMS.entries()) {
    files[`src/upstream_${index}/mcp_oauth.ts`] = withUpstream(AUTH, text)
    files[`src/upstream_${index}/session.ts`] = SESSION
  }
  return files
}

describe('the servers of the skill', () => {
  let provider: TestOidcProvider
  let project: Project

  beforeAll(async () => {
    provider = await startOidcProvider()
    project = await installProject(PROJECT, { files: filesOf(provider) })
    await project.run('npx', ['tsc'])
  }, 180_000)
  afterAll(() => provider.close())

  /** Each has a database of its own, in the directory that it runs in. */
  async function signInAt(name: string, main: readonly string[], more = {}): Promise<void> {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    provider.allowRedirect(`${origin}/callback`)
    const env = {
      PORT: String(port),
      MCP_OAUTH_ISSUER: origin,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.client_id,
      OIDC_CLIENT_SECRET: provider.client_secret,
      ...more,
    }
    const directory = join('dist', name)
    await project.run('env', ['-C', directory, 'sh', '-c', KEYS_COMMAND])
    const program = ['-C', directory, process.execPath, '--no-warnings', ...main]
    const server = await project.start('env', program, `${origin}/mcp`, env)
    await expectSignIn(origin, origin, provider)
    expect(server.told()).toBe('')
    await server.stop()
  }

  it.each(ON_A_DISK)('%s: signs in, and its tool acts as the user', async (name) => {
    await signInAt(name, ['server.js'])
  })

  redisSuite(describe, 'without a disk', () => {
    let redis: TestRedis
    let rest: TestHttp

    beforeAll(async () => {
      redis = await startRedis()
      rest = await startRest(redis.port, 'token')
    })
    afterAll(async () => {
      await rest.close()
      await redis.close()
    })

    it('fetch: signs in, and its tool acts as the user', async () => {
      const upstash = { KV_REST_API_URL: rest.url, KV_REST_API_TOKEN: 'token' }
      await signInAt('fetch', ['--env-file=.env', 'main.js'], upstash)
    })
  })
})
