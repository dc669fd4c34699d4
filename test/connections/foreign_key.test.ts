/**
 * Instances whose keyrings differ: while a new key is rolled out, or where one was given the wrong keys.
 */
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { saveConnection, connectionIdOf } from '../../src/server/connections/save.ts'
import { upstreamToken } from '../../src/server/connections/upstream_token.ts'
import { memory } from '../../src/stores/memory.ts'
import { createTestContext } from '../support/context.ts'

const TOKENS = {
  access_token: 'the token of the upstream',
  refresh_token: undefined,
  expires_in: undefined,
  scope: undefined,
  token_endpoint: 'https://upstream.example/token',
}

describe('MI-03 MI-04 a connection sealed with a key that this instance does not have', () => {
  it('is an outage here and ends nothing: the instance that has the key still opens it', async () => {
    const store = memory()
    const [older, newer] = [generateKey(), generateKey()]
    const ahead = createTestContext({ store, keys: createKeyring([newer, older]) })
    const behind = createTestContext({ store, keys: createKeyring([older]) })
    await saveConnection(ahead.context, 'ada', TOKENS)
    const id = connectionIdOf(ahead.context, 'ada')
    const before = await store.find('connection', id)

    await expect(upstreamToken(behind.context, id)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 503,
      retryAfter: 5,
    })
    expect(behind.events).toMatchObject([
      { type: 'upstream_failed', reason: expect.stringContaining('not among the keys given') },
    ])
    expect(await store.find('connection', id)).toEqual(before)
    expect(await upstreamToken(ahead.context, id)).toBe(TOKENS.access_token)
  })
})
