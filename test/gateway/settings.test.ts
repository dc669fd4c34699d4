import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { environmentName, FLAGS, isInEnvironment } from '../../src/gateway/flags.ts'
import { readSettings } from '../../src/gateway/settings.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const faultsOf = async (args: readonly string[], environment = {}) => {
  const { usage, faults } = await readSettings(args, environment)
  return [...usage, ...faults]
}

describe('which one wins', () => {
  it('flags over environment over file', async () => {
    const path = await file(
      'wins.json',
      JSON.stringify({
        port: 1,
        host: 'a',
        name: 'file',
        allow: { emails: ['f@x'], domains: ['x'] },
      }),
    )
    const { config, faults } = await readSettings(['--port', '3', '--config', path], {
      MCP_OAUTH_PORT: '2',
      MCP_OAUTH_HOST: 'b',
      MCP_OAUTH_ALLOW_EMAIL: 'e@x, g@x',
    })
    expect(faults).toEqual([])
    expect(config).toEqual({
      port: 3,
      host: 'b',
      name: 'file',
      allow: { emails: ['e@x', 'g@x'], domains: ['x'] },
    })
  })

  it('an upstream named in the file is completed by the environment', async () => {
    const path = await file('upstream.json', '{"upstream":"github"}')
    const { config } = await readSettings(['--upstream-scope', 'repo'], {
      MCP_OAUTH_CONFIG: path,
      MCP_OAUTH_UPSTREAM_CLIENT_ID: 'id',
      MCP_OAUTH_UPSTREAM_CLIENT_SECRET: 'secret',
    })
    expect(config.upstream).toEqual({
      name: 'github',
      client_id: 'id',
      client_secret: 'secret',
      scope: ['repo'],
    })
  })

  it.each([
    [{ PORT: '90' }, 90],
    [{ PORT: '90', MCP_OAUTH_PORT: '91' }, 91],
    [{ MCP_OAUTH_PORT: 'tcp://10.0.0.1:8787', PORT: '90' }, 90],
    [{ MCP_OAUTH_PORT: 'tcp://10.0.0.1:8787', MCP_OAUTH_SERVICE_HOST: '10.0.0.1' }, undefined],
  ])('the port of %j is %s', async (environment, port) => {
    const { config, warnings, faults } = await readSettings([], environment)
    expect(config.port).toBe(port)
    expect([...warnings, ...faults]).toEqual([])
  })

  it.each([
    ['true', false],
    ['0', true],
  ])('MCP_OAUTH_OPTIONAL=%s is required: %s', async (text, required) => {
    const { config } = await readSettings([], { MCP_OAUTH_OPTIONAL: text })
    expect(config.required).toBe(required)
  })
})

describe('the command line', () => {
  it('every kind of flag', async () => {
    const { config, usage, check } = await readSettings(
      [
        '--to=http://127.0.0.1:9000/mcp',
        ...['--scope', 'notes:read=Read your notes, all of them', '--scope', 'x=Do x = y'],
        ...['--tool', 'delete_note=notes:read x', '--tool', '__proto__=x'],
        ...['--identity', 'headers', '--identity', 'assertion'],
        ...[
          '--optional',
          '--check',
          '--dangerously-allow-http',
          '--dangerously-allow-private-cimd',
        ],
      ],
      {},
    )
    expect(usage).toEqual([])
    expect(check).toBe(true)
    expect(config).toMatchObject({
      to: 'http://127.0.0.1:9000/mcp',
      scopes: { 'notes:read': 'Read your notes, all of them', x: 'Do x = y' },
      identity: ['headers', 'assertion'],
      required: false,
      dangerouslyAllowHttp: true,
      clientIdMetadataDocuments: { dangerouslyAllowPrivateAddresses: true },
    })
    expect(Object.entries(config.tools ?? {})).toEqual([
      ['delete_note', ['notes:read', 'x']],
      ['__proto__', ['x']],
    ])
  })

  it.each([
    [['--upstrem', 'x'], /--upstrem is not known; did you mean --upstream\?/],
    [['--zzzzzzzz'], /--zzzzzzzz is not known$/],
    [['here'], /here is not expected/],
    [['--to'], /--to needs <url>/],
    [['--to', '--issuer=x'], /--to needs <url>/],
    [['--to='], /--to has no value/],
    [['--port', '80a'], /--port is not a whole number/],
    [['--port', '70000'], /port must be a port from 0 to 65535/],
    [['--check=yes'], /--check takes no value/],
    [['--scope', 'x'], /--scope is not written name=value/],
    [['--identity', 'header'], /identity/],
    [['--keys', 'mok_x'], /--keys is a secret and has no flag/],
    [['--upstream-client-secret=s'], /is a secret and has no flag/],
    [['--config', '/nowhere.json'], /there is no such file/],
    [['--config', 'x.yaml'], /is not a \.json/],
    [['\u001b[31m--x'], /^\?\[31m--x is not expected/],
  ])('%j is a fault', async (args, fault) => {
    const faults = await faultsOf(args)
    expect(faults.filter((found) => !fault.test(found))).toEqual([])
    expect(faults.join('\n')).toMatch(fault)
  })

  it('all faults are told at once, and no secret is in them', async () => {
    const path = await file(
      'faults.json',
      JSON.stringify({
        isuer: 'x',
        lifetimes: { accesToken: 5, code: '60' },
        clients: [{ client_id: 'a', client_secret: 7, redirect_uri: 'x' }],
        keys: 5,
        upstream: { name: 'github', client_secret: ['hush'] },
        store: { url: 'redis://hush' },
        registration: 'open',
      }),
    )
    const faults = await faultsOf(['--prot', '1', '--config', path], { MCP_OAUTH_PORT: 'x' })
    expect(faults).toEqual([
      '--prot is not known; did you mean --port?',
      'MCP_OAUTH_PORT is not a whole number',
      'isuer is not known; did you mean issuer?',
      'lifetimes.accesToken is not known; did you mean accessToken?',
      'lifetimes.code must be a number, 0 or more',
      'clients[0].client_secret must be a text',
      'clients[0].redirect_uri is not known; did you mean redirect_uris?',
      'clients[0].redirect_uris is missing',
      'keys must be a text or a list',
      'upstream.client_secret must be a text',
      'store must be a text or a store',
      'registration must be an object',
    ])
    expect(faults.join()).not.toContain('hush')
  })

  it('an unknown variable is warned of, for it may be somebody else’s', async () => {
    const { warnings, faults } = await readSettings([], { MCP_OAUTH_KEY: 'mok_x' })
    expect(faults).toEqual([])
    expect(warnings).toEqual([
      'MCP_OAUTH_KEY is in the environment but not known; did you mean MCP_OAUTH_KEYS?',
    ])
  })
})

describe('the config file', () => {
  it.each([
    ['named.mjs', 'export const config = { allow: (user) => user.sub === "1", port: 5 }'],
    ['default.js', 'export default { allow: () => true, port: 5 }'],
  ])('%s may hold functions', async (name, text) => {
    const { config, faults } = await readSettings(['--config', await file(name, text)], {})
    expect(faults).toEqual([])
    expect(config.port).toBe(5)
    expect(config.allow).toBeTypeOf('function')
  })

  it('one built by code is taken as it is', async () => {
    const text = `export const config = {
      store: { find() {}, insert() {}, replace() {}, take() {} },
      upstream: { type: 'session', id: 'app', identify() {} },
    }`
    const { config, faults } = await readSettings(['--config', await file('built.mjs', text)], {})
    expect(faults).toEqual([])
    expect(config.upstream).toMatchObject({ id: 'app' })
  })

  it.each([
    ['bad.json', '{"keys":"mok_hush"', /it is not JSON/],
    ['array.json', '[]', /holds no object/],
    ['throws.mjs', 'throw new Error("hush")', /it throws Error/],
    ['syntax.mjs', 'const hush = ;', /it has a syntax error|it throws/],
    ['empty.mjs', '', /holds no object/],
  ])('%s is a fault that quotes nothing of it', async (name, text, fault) => {
    const [only = '', ...more] = await faultsOf(['--config', await file(name, text)])
    expect(more).toEqual([])
    expect(only).toMatch(fault)
    expect(only).not.toContain('hush')
  })
})

it('each flag has its own variable', () => {
  const names = FLAGS.filter(isInEnvironment).map(environmentName)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('MCP_OAUTH_KEYS')
})
