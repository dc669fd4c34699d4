import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { startBackend } from '../gateway/support/backend.ts'
import { gateway } from '../../src/cli/gateway.ts'

const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SOUND = {
  MCP_OAUTH_STORE: `sqlite:${join(folder, 'a.db')}`,
  MCP_OAUTH_KEYS: generateKey(),
  MCP_OAUTH_UPSTREAM: 'github',
  MCP_OAUTH_UPSTREAM_CLIENT_ID: 'id',
  MCP_OAUTH_UPSTREAM_CLIENT_SECRET: 'upstream-secret',
  MCP_OAUTH_TO: 'http://127.0.0.1:9/mcp',
}

interface Told {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** Runs the command with the terminal of `createTerminal`, kept in texts. */
async function run(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }>,
): Promise<Told> {
  let [out, err] = ['', '']
  const status = await gateway(
    args,
    {
      out: (text) => void (out += text),
      tell: (line) => void (err += `${line}\n`),
      fault: (line) => void (err += `mcp-oauth: ${line}\n`),
    },
    env,
  )
  return { status, out, err }
}

/** Judges `args`; everything is sound but what `env` and `args` say. */
function check(
  args: readonly string[],
  env: Readonly<{ [name: string]: string }> = {},
): Promise<Told> {
  return run(['--check', ...args], { ...SOUND, ...env })
}

describe('--check', () => {
  it('is 0 for sound settings, opens nothing, and tells of a backend that is away', async () => {
    const { status, out, err } = await check([])
    expect([status, out]).toEqual([0, 'The settings are sound.\n'])
    expect(err).toContain('warning: nothing answers at http://127.0.0.1:9')
    expect(readdirSync(folder)).toEqual([])
  })

  it('does not tell of a backend that answers, whatever it answers', async () => {
    const backend = await startBackend((_, res) => void res.writeHead(500).end())
    const { status, err } = await check(['--to', backend.url])
    expect(status).toBe(0)
    expect(err).not.toContain('nothing answers')
    await backend.close()
  })

  it('tells every fault at once, each with its mend, and no secret', async () => {
    const path = join(folder, 'faulty.json')
    const secret = 'do-not-print-me'
    writeFileSync(
      path,
      JSON.stringify({
        keys: [secret],
        lifetimes: { accessToken: -1, acessToken: 1 },
        scopes: { 'a b': 'x' },
        tools: { drop: ['unknown'] },
        clients: [{ client_id: 'c', client_secret: secret, redirect_uris: ['javascript:1'] }],
        trustedProxies: ['nowhere'],
        passHeaders: ['cookie'],
        identity: 'headrs',
      }),
    )
    const { status, out, err } = await run(
      ['--config', path, '--upstream', 'githb', '--issuer', 'http://mcp.example.com/'],
      { MCP_OAUTH_STORE: 'postgres:x', MCP_OAUTH_OPTIONAL: 'perhaps' },
    )
    expect([status, out]).toEqual([1, ''])
    for (const told of [
      /to is missing; name your MCP server, e\.g\. --to http/,
      /keys: key 1 .*make one with `npx mcp-oauth keys generate`/,
      /lifetimes\.accessToken must be/,
      /lifetimes\.acessToken is not known; did you mean accessToken\?/,
      /a b/,
      /unknown/,
      /client.*c.*redirect/,
      /trustedProxies.*nowhere/,
      /passHeaders: cookie names credentials/,
      /identity must be one of none, headers, assertion, upstream_token/,
      /upstream\.name must be one of .*github.*; did you mean github\?/,
      /issuer must be/,
      /store is no URL; write postgres:/,
      /MCP_OAUTH_OPTIONAL is neither true nor false/,
    ]) {
      expect(err).toMatch(told)
    }
    expect(err).not.toContain(secret)
    const lines = err.trim().split('\n')
    for (const line of lines) expect(line).toMatch(/^mcp-oauth: \S/)
    expect(new Set(lines).size).toBe(lines.length)
  })

  it('names the variables for what is missing of the upstream', async () => {
    const { status, err } = await run(
      ['--check', '--to', SOUND.MCP_OAUTH_TO, '--upstream', 'github'],
      { MCP_OAUTH_KEYS: SOUND.MCP_OAUTH_KEYS, MCP_OAUTH_STORE: SOUND.MCP_OAUTH_STORE },
    )
    expect(status).toBe(1)
    expect(err.trim().split('\n').sort()).toEqual([
      'mcp-oauth: upstream.client_id is missing; set MCP_OAUTH_UPSTREAM_CLIENT_ID',
      'mcp-oauth: upstream.client_secret is missing, and GitHub needs it; set MCP_OAUTH_UPSTREAM_CLIENT_SECRET',
    ])
  })

  it.each(['https://login.example.com', 'https://login.example.com/realms/a', 'google', 'gitlab'])(
    'the upstream may be %s',
    async (upstream) => {
      expect((await check(['--upstream', upstream])).status).toBe(0)
    },
  )

  it.each(['http://login.example.com', 'login.example.com', 'auth0', 'file:///etc/passwd'])(
    'the upstream may not be %s',
    async (upstream) => {
      const { status, err } = await check(['--upstream', upstream])
      expect(status).toBe(1)
      expect(err).toMatch(/^mcp-oauth: upstream\./)
    },
  )
})

describe('HH-05 plain http', () => {
  it.each(['http://mcp.example.com', 'http://192.168.0.1:8787', 'http://127.0.0.1.evil.test'])(
    '%s is refused, but for the flag with the loud name',
    async (issuer) => {
      const { status, err } = await check(['--issuer', issuer])
      expect(status).toBe(1)
      expect(err).toMatch(/issuer must be https/)
      const allowed = await check(['--issuer', issuer, '--dangerously-allow-http'])
      expect(allowed.status).toBe(0)
      expect(allowed.err).toContain('warning: the issuer is plain http')
    },
  )

  it.each(['http://localhost:8787', 'http://127.0.0.1:8787', 'http://[::1]:8787'])(
    '%s needs no flag',
    async (issuer) => {
      expect((await check(['--issuer', issuer])).status).toBe(0)
    },
  )
})

describe('RG-30 one address for all callers', () => {
  const PUBLIC = ['--issuer', 'https://mcp.example.com']
  const SHARED = 'warning: no trusted proxy is named'

  it.each([
    ['a proxy on this machine', PUBLIC],
    ['any interface', ['--host', '0.0.0.0']],
  ])('is told of, behind %s', async (_, args) => {
    expect((await check(args)).err).toContain(SHARED)
    expect((await check([...args, '--trusted-proxy', '127.0.0.1'])).err).not.toContain(SHARED)
  })

  it('is not told of where nobody comes from elsewhere', async () => {
    expect((await check([])).err).not.toContain(SHARED)
  })
})

describe('the place of the store', () => {
  it('whose directory is missing is a fault', async () => {
    const { status, err } = await check(['--store', `sqlite:${folder}/nowhere/a.db`])
    expect(status).toBe(1)
    expect(err).toContain(`store: there is no directory ${join(folder, 'nowhere')}; make it`)
  })

  it('that is a directory is a fault', async () => {
    mkdirSync(join(folder, 'directory'))
    expect((await check(['--store', `sqlite:${folder}/directory`])).err).toContain('is not a file')
    rmSync(join(folder, 'directory'), { recursive: true })
  })

  it('that may not be written is a fault, but for root, who may write everywhere', async () => {
    mkdirSync(join(folder, 'closed'))
    chmodSync(join(folder, 'closed'), 0o500)
    const { status, err } = await check(['--store', `sqlite:${folder}/closed/a.db`])
    const isRoot = process.getuid?.() === 0
    expect(status).toBe(isRoot ? 0 : 1)
    expect(err.includes(`this user may not read and write ${folder}/closed`)).toBe(!isRoot)
    rmSync(join(folder, 'closed'), { recursive: true })
  })

  it.each([
    'memory',
    'sqlite::memory:',
    'sqlite:./a.db',
    'sqlite:/dev/shm/a.db',
    'postgres://user:hush@db.example/mcp',
    'redis+cluster://:hush@10.0.0.1:1,10.0.0.2:2',
  ])('%s is sound', async (store) => {
    expect((await check(['--store', store])).status).toBe(0)
  })
})
