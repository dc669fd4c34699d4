/**
 * One grant after its first refresh and its connection, as the server itself has written them, and any
 * number of copies: other people's, with secrets of their own of the same length.
 */
import { randomBytes } from 'node:crypto'
import { randomId } from '../src/crypto/random.ts'
import { memory } from '../src/memory.ts'
import type { ConnectionRecord, GrantRecord, Kind, Records } from '../src/stores/records.ts'
import type { Store } from '../src/stores/store.ts'
import { refresh } from '../test/support/flow.ts'
import { signInUpstream, startWorld } from '../test/support/upstream_flow.ts'

export interface Pair {
  readonly grant: GrantRecord
  readonly connection: ConnectionRecord
}

/** Signs in at a real provider, refreshes, and takes what is stored then. */
export async function makePattern(): Promise<Pair> {
  const store = memory()
  const world = await startWorld({ store })
  try {
    const { client, tokens } = await signInUpstream(world)
    const { status, text } = await refresh(world.server, client, tokens.refresh_token)
    if (status !== 200) throw new Error(`the refresh was refused: ${status} ${text}`)
    return { grant: await only(store, 'grant'), connection: await only(store, 'connection') }
  } finally {
    await world.close()
  }
}

async function only<K extends Kind>(store: Store, kind: K): Promise<Records[K]> {
  const { rows } = await store.scan(kind, { limit: 2 })
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Error(`not one ${kind}`)
  return row.record
}

/** A copy that is `age` seconds older. */
export function copyOf({ grant, connection }: Pair, age: number): Pair {
  const subject = anew(grant.subject)
  const connectionId = anew(connection.id)
  return {
    grant: {
      ...made(grant, age),
      id: randomId(grant.createdAt - age),
      subject,
      connectionId,
      user: { ...grant.user, sub: anew(grant.user.sub) },
      refresh: copyOfRefresh(grant.refresh),
    },
    connection: {
      ...connection,
      id: connectionId,
      subject,
      access_token: anew(connection.access_token),
      refresh_token: connection.refresh_token && anew(connection.refresh_token),
    },
  }
}

function made(grant: GrantRecord, age: number): GrantRecord {
  const { createdAt, expiresAt } = grant
  return { ...grant, createdAt: createdAt - age, expiresAt: expiresAt && expiresAt - age }
}

function copyOfRefresh(held: GrantRecord['refresh']): GrantRecord['refresh'] {
  if (held?.previous === undefined) throw new Error('the grant was not refreshed')
  const { jti, previous } = held
  return { ...held, jti: anew(jti), previous: { ...previous, jti: anew(previous.jti) } }
}

/** A random text of the length of `text`, as of as many bytes. */
function anew<T extends string>(text: T): T {
  return randomBytes(Math.floor((text.length * 3) / 4)).toString('base64url') as T
}
