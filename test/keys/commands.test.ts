/** The gateway that starts, and `keys rotate`, over a store that knows its keys. */
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { seal } from '../../src/crypto/seal.ts'
import { checkKeys, readRegister } from '../../src/server/keys/key_register.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { sampleConnection } from '../../src/testing/contract/samples.ts'
import { run, start } from '../cli/support.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const [OLD, NEW, OTHER] = [generateKey(), generateKey(), generateKey()]
const ISSUER = 'http://localhost:8787'
const kid = (key: string): string => createKeyring([key]).newest.kid

/** A store in which a gateway has worked with each of these keyrings, one after the other. */
async function worked(...keyrings: readonly (readonly string[])[]) {
  const file = fresh()
  const store = sqlite(file)
  for (const keys of keyrings) await checkKeys({ store, issuer: ISSUER }, createKeyring(keys))
  const env = (keys: readonly string[]) => ({
    MCP_OAUTH_KEYS: keys.join(','),
    MCP_OAUTH_STORE: `sqlite:${file}`,
  })
  async function known(): Promise<string[]> {
    const found = await store.find('claim', `keys/${ISSUER}`)
    return found === undefined ? [] : [...readRegister(found.record).keys()]
  }
  return { store, env, known }
}

const GATEWAY = ['gateway', '--to', 'http://127.0.0.1:9/mcp', '--issuer', ISSUER, '--port', '0']
const UPSTREAM = {
  MCP_OAUTH_UPSTREAM: 'github',
  MCP_OAUTH_UPSTREAM_CLIENT_ID: 'id',
  MCP_OAUTH_UPSTREAM_CLIENT_SECRET: 'secret',
}

describe('mcp-oauth gateway', () => {
  it('ST-06 MI-04 does not start with the keys of another store, and says which and what to do', async () => {
    const { store, env, known } = await worked([OLD])
    const { status, err } = await run(GATEWAY, { ...UPSTREAM, ...env([OTHER]) })
    expect(status).toBe(1)
    expect(err).toContain(`these keys (${kid(OTHER)}) are not of this store, where ${kid(OLD)}`)
    expect(err).toContain(`mcp-oauth keys rotate --forget=${kid(OLD)}`)
    expect(err).not.toContain('Listening')
    expect(err).not.toContain('mok_')
    expect(await known()).toEqual([kid(OLD)])
    await store.close()
  })

  it('MI-03 does not start without a key that others seal with, and does with it as the second', async () => {
    const { store, env, known } = await worked([OLD], [NEW, OLD])
    const { status, err } = await run(GATEWAY, { ...UPSTREAM, ...env([OLD]) })
    expect(status).toBe(1)
    expect(err).toContain(`lack ${kid(NEW)}`)
    expect(err).toContain('second on every server')
    const running = await start(GATEWAY, { ...UPSTREAM, ...env([OLD, NEW]) })
    await running.told('Listening on')
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(0)
    expect(await known()).toEqual([kid(OLD), kid(NEW)])
    await store.close()
  })
})

describe('mcp-oauth keys rotate', () => {
  it('MI-04 refuses the keys of another store before it writes', async () => {
    const { store, env, known } = await worked([OLD])
    for (const more of [[], ['--check']]) {
      const { status, err } = await run(['keys', 'rotate', ...more], env([NEW, OTHER]))
      expect(status).toBe(1)
      expect(err).toContain('are not of this store')
    }
    expect(await known()).toEqual([kid(OLD)])
    await store.close()
  })

  it('MI-03 lets servers start without the old key when nothing is left under it; --check does not', async () => {
    const { store, env, known } = await worked([OLD], [NEW, OLD])
    const access_token = seal(createKeyring([OLD]), 'at', 'connection/c/access_token')
    const record = sampleConnection({ id: 'c', access_token, refresh_token: undefined })
    await store.insert('connection', record)
    expect((await run(['keys', 'rotate', '--check'], env([NEW, OLD]))).status).toBe(1)
    expect(await known()).toEqual([kid(OLD), kid(NEW)])
    expect((await run(['keys', 'rotate'], env([NEW, OLD]))).status).toBe(0)
    expect(await known()).toEqual([kid(NEW)])
    await checkKeys({ store, issuer: ISSUER }, createKeyring([NEW]))
    await store.close()
  })

  it('MI-03 enters the key that it seals with, so that no server starts without it', async () => {
    const { store, env, known } = await worked([OLD])
    expect((await run(['keys', 'rotate'], env([NEW, OLD]))).status).toBe(0)
    expect(await known()).toEqual([kid(NEW)])
    await store.close()
  })

  it('ST-06 --forget lets servers start without a key that is lost, and nothing that is not lost', async () => {
    const { store, env } = await worked([OLD], [NEW, OLD])
    const rotate = (...args: string[]) => run(['keys', 'rotate', ...args], env([NEW]))
    expect((await rotate(`--forget=${kid(NEW)}`)).err).toContain('not lost')
    expect((await rotate(`--forget=${kid(OTHER)}`)).err).toContain('knows no key')
    await expect(checkKeys({ store, issuer: ISSUER }, createKeyring([NEW]))).rejects.toThrow(
      `lack ${kid(OLD)}`,
    )
    const { status, err } = await rotate(`--forget=${kid(OLD)}`)
    expect([status, err]).toEqual([0, expect.stringContaining('is forgotten')])
    await checkKeys({ store, issuer: ISSUER }, createKeyring([NEW]))
    await store.close()
  })
})
