/**
 * Somebody who may write to the store puts back a row of an earlier day. What that brings back, and what
 * it does not, stands in docs/storage.md and is held here.
 */
import { describe, expect, it } from 'vitest'
import { createKeyring } from '../../src/crypto/keyring.ts'
import { open } from '../../src/crypto/seal.ts'
import { sqlite } from '../../src/sqlite.ts'
import type { Kind, Records } from '../../src/stores/records.ts'
import type { Store } from '../../src/stores/store.ts'
import {
  authorize,
  call,
  post,
  redeem,
  refresh,
  register,
  signIn,
  type TestClient,
} from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { tempFiles } from '../support/temp.ts'
import { signInUpstream, startWorld, UNLIMITED } from '../support/upstream_flow.ts'

const fresh = tempFiles('.db')

/** The one record of a kind, as it is now. */
async function theOne<K extends Kind>(store: Store, kind: K): Promise<Records[K]> {
  const { rows } = await store.scan(kind, { limit: 2 })
  expect(rows).toHaveLength(1)
  return rows[0]!.record
}

async function putBack<K extends Kind>(store: Store, kind: K, record: Records[K]): Promise<void> {
  const now = await store.find(kind, record.id)
  expect(await store.replace(kind, record, now!.version)).toBe(true)
}

function start(): Promise<TestServer> {
  return startServer({ store: sqlite(fresh()), rateLimits: UNLIMITED })
}

function revoke(
  server: TestServer,
  { client_id }: TestClient,
  token: string,
): ReturnType<typeof post> {
  return post(server, '/revoke', { token, client_id })
}

describe('ST-07 a grant of before is put back', () => {
  it('ST-07 from before its revocation: its tokens live again, no longer than they would have', async () => {
    const server = await start()
    const { client, tokens } = await signIn(server)
    const before = await theOne(server.store, 'grant')
    expect((await revoke(server, client, tokens.refresh_token)).status).toBe(200)
    expect((await call(server, tokens.access_token)).status).toBe(401)
    await putBack(server.store, 'grant', before)
    // The limit: the row is the only one that knows.
    expect((await call(server, tokens.access_token)).status).toBe(200)
    // An expiry is in the token, under its MAC, and no row moves it.
    server.advance(tokens.expires_in)
    await putBack(server.store, 'grant', { ...before, expiresAt: undefined })
    expect((await call(server, tokens.access_token)).status).toBe(401)
    await server.close()
  })

  it('ST-07 from before a rotation: the token of now is taken for one used twice, and the grant ends', async () => {
    const server = await start()
    const { client, tokens } = await signIn(server)
    const before = await theOne(server.store, 'grant')
    const { body } = await refresh(server, client, tokens.refresh_token)
    await putBack(server.store, 'grant', before)
    const denied = await refresh(server, client, String(body['refresh_token']))
    expect(denied.body['error']).toBe('invalid_grant')
    expect((await theOne(server.store, 'grant')).endReason).toBe('refresh_token_reused')
    expect(server.events).toContainEqual(
      expect.objectContaining({ type: 'grant_ended', reason: 'refresh_token_reused' }),
    )
    // Nobody has anything of it any more, neither the client nor who holds the older token.
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(400)
    expect((await call(server, String(body['access_token']))).status).toBe(401)
    await server.close()
  })

  it('ST-07 from before its code was redeemed: the code works again within its minute, the first tokens end', async () => {
    const server = await start()
    const client = await register(server)
    const authorized = await authorize(server, client)
    const before = await theOne(server.store, 'grant')
    const first = await redeem(server, authorized)
    await putBack(server.store, 'grant', before)
    // Only with the verifier, which is in no row.
    const guessed = await redeem(server, authorized, { code_verifier: 'a'.repeat(43) })
    expect(guessed.status).toBe(400)
    expect((await redeem(server, authorized)).status).toBe(200)
    expect((await refresh(server, client, String(first.body['refresh_token']))).status).toBe(400)
    await server.close()

    const late = await start()
    const again = await authorize(late, await register(late))
    const row = await theOne(late.store, 'grant')
    await redeem(late, again)
    late.advance(61)
    await putBack(late.store, 'grant', row)
    expect((await redeem(late, again)).status).toBe(400)
    // Whoever may write to the store may also lengthen what is readable in it.
    await putBack(late.store, 'grant', { ...row, code: { ...row.code!, expiresAt: 2 ** 40 } })
    expect((await redeem(late, again)).status).toBe(200)
    await late.close()
  })

  it('ST-07 with more scope: the tokens that are out keep theirs, the next ones have what the row says', async () => {
    const server = await start()
    const { client, tokens } = await signIn(server, { params: { scope: 'notes:read' } })
    const row = await theOne(server.store, 'grant')
    await putBack(server.store, 'grant', { ...row, scope: ['notes:read', 'notes:write'] })
    // The token out there keeps its own, under its MAC; only a new one has what the row says.
    const denied = await call(server, tokens.access_token, 'tools/call', { name: 'delete_note' })
    expect(denied.status).toBe(403)
    const { body } = await refresh(server, client, tokens.refresh_token)
    expect(body['scope']).toContain('notes:write')
    await server.close()
  })
})

describe('ST-07 a connection of before is put back', () => {
  it('ST-07 it opens in its place, as it did; the seal says nothing of the day', async () => {
    const world = await startWorld({ store: sqlite(fresh()) })
    const { store, keys } = world.server
    await signInUpstream(world, 'ada')
    const before = await theOne(store, 'connection')
    await signInUpstream(world, 'ada')
    const after = await theOne(store, 'connection')
    expect(after.access_token).not.toBe(before.access_token)
    await putBack(store, 'connection', before)
    const place = `connection/${before.id}/access_token` as const
    const ring = createKeyring(keys)
    expect(open(ring, before.access_token, place)).not.toBe(open(ring, after.access_token, place))
    await world.close()
  })
})
