/**
 * An agent that follows the skill by hand: its blocks become files of a project, which compiles against the
 * package as published, runs, and signs a user in: with the skill's own check, and with the official client.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signInHeadless } from '../e2e/support/headless.ts'
import { textOf } from '../e2e/support/notes_server.ts'
import { freePort } from '../e2e/support/processes.ts'
import { createProvider } from '../e2e/support/provider.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { blockOf, blocksOf, SKILL, withUpstream } from './skill.ts'

const PROJECT = join(import.meta.dirname, 'projects/servers')

/** Where each server stands in the skill. */
const SERVERS = {
  node: ['references/node.md', 'node:http'],
  express: ['references/express.md', 'SDK v2'],
  express_v1: ['references/express.md', 'SDK v1'],
  hono: ['references/hono.md', 'Hono'],
  fastify: ['references/fastify.md', 'Fastify'],
} as const

const UPSTREAMS = blocksOf('references/upstreams.md').filter(({ file }) => file !== undefined)
const AUTH = blockOf('SKILL.md', 'mcp_oauth.ts')

/** What the skill leaves to the app that has a login of its own. */
const SESSION = `interface Account { readonly id: string; readonly name: string; readonly email: string }
export function readSession(cookie: string): Promise<Account | undefined> {
  return Promise.resolve(cookie === '' ? undefined : { id: cookie, name: 'Ada', email: 'a@example.com' })
}
`

function filesOf(provider: TestOidcProvider): { [path: string]: string } {
  const oidc = blockOf('references/upstreams.md', 'mcp_oauth.ts', 'Any OpenID')
  const atProvider = (text: string) =>
    text.replaceAll('https://api.github.com/user', provider.notesUrl)
  const files: { [path: string]: string } = {}
  for (const [name, [document, section]] of Object.entries(SERVERS)) {
    files[`src/${name}/mcp_oauth.ts`] = withUpstream(AUTH, oidc)
    files[`src/${name}/server.ts`] = blockOf(document, 'server.ts', section)
    files[`src/${name}/tools.ts`] = atProvider(blockOf('SKILL.md', 'tools.ts'))
  }
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

  it.each(Object.keys(SERVERS))('%s: signs in, and its tool acts as the user', async (name) => {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    provider.allowRedirect(`${origin}/callback`)
    const env = {
      PORT: String(port),
      MCP_OAUTH_ISSUER: origin,
      MCP_OAUTH_KEYS: (await project.run('npx', ['mcp-oauth', 'keys', 'generate'])).trim(),
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.client_id,
      OIDC_CLIENT_SECRET: provider.client_secret,
    }
    const directory = join('dist', name)
    // Each has a database of its own, in the directory that it runs in.
    const program = ['-C', directory, process.execPath, '--no-warnings', 'server.js']
    const server = await project.start('env', program, `${origin}/mcp`, env)
    await expectCurl(origin)
    const { status, told } = await check(origin, provider)
    expect(told).toMatch(/ok {5}whoami answers: .*"user":"ada"/)
    expect(told).toContain('The sign-in works.')
    expect(status).toBe(0)
    expect(told).not.toMatch(/mcp_(at|rt|code)/)
    expect(await callAsOfficialClient(origin, provider)).toMatchObject({ user: 'grace' })
    expect(server.told()).toBe('')
    await server.stop()
  })
})

/** The commands of step 5, as they stand there but for the port. */
async function expectCurl(origin: string): Promise<void> {
  const commands = blocksOf('SKILL.md').find(({ text }) => text.startsWith('curl'))?.text ?? ''
  const { told } = await shell(commands.replaceAll('http://localhost:3000', origin))
  expect(told).toMatch(/^HTTP\/1\.1 401 /)
  expect(told).toMatch(/^www-authenticate: Bearer resource_metadata="/m)
  expect(told).toContain(`"resource":"${origin}/mcp"`)
  expect(told).toContain(`"issuer":"${origin}"`)
}

/** The skill's own check, run as it says, while Ada does what it asks the user to do. */
async function check(
  origin: string,
  provider: TestOidcProvider,
): Promise<{ status: number | null; told: string }> {
  const command = blocksOf('SKILL.md').find(({ text }) => text.startsWith('node scripts/'))?.text
  const asked = (command ?? '').replaceAll('http://localhost:3000', origin)
  return await shell(asked, async (url) => {
    await fetch(await signInHeadless(url, provider, 'ada'))
  })
}

/** Runs `script` in the skill's folder, and opens the first sign-in that it asks for. */
async function shell(
  script: string,
  open?: (url: string) => Promise<void>,
): Promise<{ status: number | null; told: string }> {
  const child = spawn('sh', ['-c', script], { cwd: SKILL, stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  let opened: Promise<void> | undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      told += chunk
      const [, url] = /^ {2}(http\S+)\n/m.exec(told) ?? []
      if (url !== undefined && open !== undefined) opened ??= open(url)
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  await opened
  return { status, told }
}

async function callAsOfficialClient(origin: string, upstream: TestOidcProvider): Promise<unknown> {
  const authProvider = createProvider('http://127.0.0.1:1/callback')
  const url = new URL(`${origin}/mcp`)
  const first = new StreamableHTTPClientTransport(url, { authProvider })
  const client = new Client({ name: 'a client', version: '1' })
  await expect(client.connect(first)).rejects.toThrow(/unauthorized/i)
  const asked = authProvider.kept.authorizationUrl?.href ?? ''
  await first.finishAuth((await signInHeadless(asked, upstream, 'grace')).searchParams)
  const signedIn = new Client({ name: 'a client', version: '1' })
  await signedIn.connect(new StreamableHTTPClientTransport(url, { authProvider }))
  const answer = await signedIn.callTool({ name: 'whoami', arguments: {} })
  await signedIn.close()
  return JSON.parse(textOf(answer))
}
