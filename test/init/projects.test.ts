/**
 * Servers of somebody who has no sign-in yet, installed from npm: after one command they type-check, build,
 * start as before, and a user signs in with the official client.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signInHeadless } from '../e2e/support/headless.ts'
import { textOf } from '../e2e/support/notes_server.ts'
import { createProvider } from '../e2e/support/provider.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { freePort } from '../support/free_port.ts'

interface Kind {
  readonly name: string
  /** The file with the secrets. */
  readonly environment: string
  readonly issuerPath: string
  /** What comes between installing and starting. */
  readonly prepare: readonly (readonly string[])[]
  readonly start: readonly string[]
  /** A path that needed no token before, and needs none now. */
  readonly open: string
  /** A folder with files in place of some of the project's, for the same over again. */
  readonly variant?: string
}

/** All of them check the types with it: `tsc`, and `next build`. */
const BUILD = ['npm', 'run', 'build']
const COMPILED = { environment: '.env', issuerPath: '', prepare: [BUILD], start: ['start'] }
const KINDS: readonly Kind[] = [
  { ...COMPILED, name: 'hono', open: '/', variant: 'hono_sdk' },
  { ...COMPILED, name: 'express', open: '/health', variant: 'express_sdk' },
  { ...COMPILED, name: 'fastify', open: '/health' },
  { ...COMPILED, name: 'node', prepare: [], open: '/health' },
  {
    name: 'next',
    environment: '.env.local',
    issuerPath: '/oauth',
    prepare: [BUILD],
    start: ['start', '--', '-H', '127.0.0.1'],
    open: '/',
  },
]

const PROJECTS = join(import.meta.dirname, 'projects')

describe.each(KINDS)('$name', (kind) => {
  let upstream: TestOidcProvider
  let project: Project
  let port: number
  let origin: string

  const init = (...flags: readonly string[]) =>
    project.run('npx', ['--no-install', 'mcp-oauth', 'init', ...flags])
  const flags = () =>
    ['--yes', '--upstream', upstream.issuer, '--store', 'sqlite', '--port', String(port)] as const

  beforeAll(async () => {
    upstream = await startOidcProvider()
    project = await installProject(join(PROJECTS, kind.name))
    port = await freePort()
    origin = `http://localhost:${port}`
  }, 180_000)
  afterAll(() => upstream.close())

  it('init writes what it shows', async () => {
    const before = readTexts(project.directory)
    expect(await init(...flags(), '--dry-run')).toContain('+MCP_OAUTH_KEYS=<a new key>')
    expect(readTexts(project.directory)).toEqual(before)
    const said = await init(...flags())
    expect(said).toContain(`Register the callback URL ${origin}${kind.issuerPath}/callback`)
    expect(said).toContain(`${origin}/mcp`)
  })

  it('type-checks, builds, and users sign in', () => buildAndSignIn(), 180_000)

  it('init, run again, changes nothing', async () => {
    const before = readTexts(project.directory)
    expect(await init(...flags())).toContain('All is done.')
    expect(readTexts(project.directory)).toEqual(before)
  })

  it.each([kind.variant ?? []].flat())(
    'the same, with the app that the MCP SDK makes: %s',
    async (variant) => {
      for (const path of ['src', kind.environment, 'mcp-oauth.db']) {
        rmSync(join(project.directory, path), { recursive: true, force: true })
      }
      for (const name of [kind.name, variant]) {
        cpSync(join(PROJECTS, name, 'src'), join(project.directory, 'src'), { recursive: true })
      }
      await init(...flags())
      await buildAndSignIn()
    },
    180_000,
  )

  async function buildAndSignIn(): Promise<void> {
    // As its author does who has registered a client.
    fillIn(join(project.directory, kind.environment), {
      OIDC_CLIENT_ID: upstream.client_id,
      OIDC_CLIENT_SECRET: upstream.client_secret,
    })
    for (const [command = '', ...args] of kind.prepare) await project.run(command, args)
    const env = { PORT: String(port) }
    const program = await project.start('npm', kind.start, `${origin}/mcp`, env)
    upstream.allowRedirect(`${origin}${kind.issuerPath}/callback`)

    const stranger = await fetch(`${origin}/mcp`, { method: 'POST', body: '{}' })
    expect(stranger.status, program.told()).toBe(401)
    expect((await fetch(`${origin}${kind.open}`)).status).toBe(200)

    const answer = await callWhoami(`${origin}/mcp`, upstream)
    expect(JSON.parse(answer)).toMatchObject({ user: { sub: 'ada', name: 'Ada Lovelace' } })
    await program.stop()
  }
})

/** A whole sign-in with the official client, and what the tool then says. */
async function callWhoami(resource: string, upstream: TestOidcProvider): Promise<string> {
  const provider = createProvider('http://127.0.0.1:9/callback')
  const connect = () =>
    new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider })
  const transport = connect()
  const stranger = new Client({ name: 'a client', version: '1' })
  await expect(stranger.connect(transport)).rejects.toThrow(/unauthorized/i)
  const arrived = await signInHeadless(provider.kept.authorizationUrl?.href ?? '', upstream, 'ada')
  await transport.finishAuth(arrived.searchParams)
  const client = new Client({ name: 'a client', version: '1' })
  await client.connect(connect())
  const answer = await client.callTool({ name: 'whoami', arguments: {} })
  await client.close()
  return textOf(answer)
}

function fillIn(path: string, values: Readonly<{ [name: string]: string }>): void {
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replace(/^(\w+)=$/gm, (line, name: string) => `${line}${values[name] ?? ''}`),
  )
}

/** The project's own files: what was installed, built and stored is left out. */
function readTexts(directory: string): Readonly<{ [path: string]: string }> {
  const left = /^(?:node_modules|dist|\.next|.*\.db.*|.*\.tsbuildinfo)$/
  const read = (folder: string): readonly (readonly [string, string])[] =>
    readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !left.test(name))
      .flatMap((entry) => {
        const path = join(folder, entry.name)
        return entry.isDirectory() ? read(path) : [[path, readFileSync(path, 'utf8')] as const]
      })
  return Object.fromEntries(read(directory))
}
