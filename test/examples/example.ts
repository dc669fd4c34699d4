/**
 * An example as somebody's project: copied, installed, and started with its own `npm start`, with a real
 * OpenID provider as its upstream. What every example must do is a suite that each of them runs.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { signInHeadless } from '../e2e/support/headless.ts'
import {
  startOidcProvider,
  type TestOidcProvider,
  type TestUser,
} from '../support/oidc_provider.ts'
import { installProject, type Program, type Project } from '../support/project.ts'
import { createCaller, type Caller } from './caller.ts'
import { freePort } from '../support/free_port.ts'

const EXAMPLES = resolve(import.meta.dirname, '../../examples')

type Settings = { readonly [name: string]: string }

export interface Example {
  readonly name: string
  project: Project
  upstream: TestOidcProvider
  issuer: string
  url: string
  /** What `.env` says. */
  settings: Settings
  program: Program
  /** `npm start`, once more or for the first time; `env` wins over `.env`. */
  start(env?: Settings): Promise<Program>
  /** Somebody who has never been here. */
  caller(user: TestUser): Caller
}

/**
 * Installs and starts it before the tests of the file.
 * @param choose settings that are no use to every example, when the port and the provider are known
 */
export function useExample(
  name: string,
  choose: (port: number, upstream: TestOidcProvider) => Promise<Settings>,
  issuerPath = '',
): Example {
  const example = { name } as Example
  beforeAll(async () => {
    const upstream = await startOidcProvider()
    const port = await freePort()
    const issuer = `http://localhost:${port}${issuerPath}`
    upstream.allowRedirect(`${issuer}/callback`)
    const settings = fill(name, {
      PORT: `${port}`,
      MCP_OAUTH_ISSUER: issuer,
      MCP_OAUTH_KEYS: generateKey(),
      OIDC_ISSUER: upstream.issuer,
      OIDC_CLIENT_ID: upstream.client_id,
      OIDC_CLIENT_SECRET: upstream.client_secret,
      ...(await choose(port, upstream)),
    })
    const env = Object.entries(settings).map(([setting, value]) => `${setting}=${value}\n`)
    const project = await installProject(join(EXAMPLES, name), { files: { '.env': env.join('') } })
    Object.assign(example, {
      project,
      upstream,
      issuer,
      settings,
      url: `http://localhost:${port}/mcp`,
      start: async (more: Settings = {}) => {
        const at = more['PORT'] ?? port
        const program = await project.start('npm', ['start'], `http://127.0.0.1:${at}/mcp`, more)
        example.program = program
        return program
      },
      caller: (user: TestUser) =>
        createCaller(example.url, async (authorizationUrl) => {
          const callback = await signInHeadless(authorizationUrl, upstream, user)
          return callback.searchParams
        }),
    })
    await example.start()
  }, 240_000)
  afterAll(async () => {
    await example.program.stop()
    await example.upstream.close()
  })
  return example
}

/** The variables of `.env.example`, each with a value of ours: one that nobody fills is a fault. */
function fill(name: string, values: Settings): Settings {
  const text = readFileSync(join(EXAMPLES, name, '.env.example'), 'utf8')
  const settings = [...text.matchAll(/^(\w+)=/gm)].map(([, setting = '']) => {
    const value = values[setting]
    if (value === undefined) throw new Error(`nobody fills ${setting} of ${name}`)
    return [setting, value] as const
  })
  return Object.fromEntries(settings)
}

/** What every example shows, by the official client. Gives the caller who is Ada, signed in. */
export function describeNotes(example: Example): { ada: Caller } {
  const known = {} as { ada: Caller }

  it('answers a call without a token with 401, and says where to sign in', async () => {
    const refused = await fetch(example.url, { method: 'POST', body: '{}' })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('resource_metadata="')
  })

  it('a tool acts at the upstream as the user who calls', async () => {
    known.ada = example.caller('ada')
    const { text, signIns } = await known.ada.call('whoami')
    expect(signIns).toBe(1)
    expect(JSON.parse(text)).toMatchObject({ sub: 'ada', name: 'Ada Lovelace' })
    const grace = await example.caller('grace').call('whoami')
    expect(JSON.parse(grace.text)).toMatchObject({ sub: 'grace' })
  })

  it('RFC 6750 §3.1 refuses a tool whose scope the token has not got, before it runs', async () => {
    const refused = await known.ada.callRaw('add_note', { text: 'refused' })
    expect(refused.status).toBe(403)
    const challenge = refused.headers.get('www-authenticate') ?? ''
    expect(challenge).toContain('error="insufficient_scope"')
    expect(challenge).toContain('notes:write')
    expect((await known.ada.call('list_notes')).text).toBe('[]')
  })

  it('the client comes back for the scope, and each user has their own notes', async () => {
    const { signIns } = await known.ada.call('add_note', { text: 'a note of Ada' })
    expect(signIns).toBe(1)
    expect(await known.ada.call('list_notes')).toEqual({ text: '["a note of Ada"]', signIns: 0 })
    expect((await example.caller('grace').call('list_notes')).text).toBe('[]')
  })

  return known
}

/** A start anew signs nobody out. */
export function describeRestart(example: Example, known: { ada: Caller }): void {
  it('whoever has signed in is signed in after a restart', async () => {
    await example.program.stop()
    await expect(fetch(example.url)).rejects.toThrow()
    await example.start()
    const { text, signIns } = await known.ada.call('whoami')
    expect(signIns).toBe(0)
    expect(JSON.parse(text)).toMatchObject({ sub: 'ada' })
  })
}
