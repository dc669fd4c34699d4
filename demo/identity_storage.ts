/**
 * What the demo's identity provider remembers: its keys, and what oidc-provider hands it to keep
 * (sessions, grants, tokens), so that a restart signs nobody out.
 */
import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto'
import { openJsonFile, type JsonFile } from './json_file.ts'

interface Entry {
  readonly payload: { [name: string]: unknown }
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

interface Remembered {
  readonly keys: readonly JsonWebKey[]
  readonly cookieKeys: readonly string[]
  readonly entries: { [id: string]: Entry }
}

/** The adapter that oidc-provider asks for, one for each of its models. */
export interface Adapter {
  upsert(id: string, payload: Entry['payload'], expiresIn: number | undefined): Promise<void>
  find(id: string): Promise<Entry['payload'] | undefined>
  findByUid(uid: string): Promise<Entry['payload'] | undefined>
  findByUserCode(): Promise<undefined>
  consume(id: string): Promise<void>
  destroy(id: string): Promise<void>
  revokeByGrantId(grantId: string): Promise<void>
}

export interface IdentityStorage {
  readonly keys: readonly JsonWebKey[]
  readonly cookieKeys: readonly string[]
  adapter(model: string): Adapter
}

const FOREVER = 100 * 365 * 86_400

/** Opens the file at `path`, which is made with new keys when there is none. */
export function openStorage(path: string): IdentityStorage {
  const file = openJsonFile<Remembered>(path, () => ({
    keys: [newKey()],
    cookieKeys: [randomBytes(32).toString('base64url')],
    entries: {},
  }))
  return {
    keys: file.value.keys,
    cookieKeys: file.value.cookieKeys,
    adapter: (model) => createAdapter(file, model),
  }
}

function newKey(): JsonWebKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'demo', use: 'sig', alg: 'RS256' }
}

function createAdapter(file: JsonFile<Remembered>, model: string): Adapter {
  const { entries } = file.value
  const key = (id: string): string => `${model}:${id}`
  const live = (entry: Entry | undefined): Entry['payload'] | undefined =>
    entry !== undefined && entry.expiresAt > now() ? entry.payload : undefined

  function remove(matches: (key: string, entry: Entry) => boolean): void {
    for (const [found, entry] of Object.entries(entries)) {
      if (matches(found, entry) || entry.expiresAt <= now()) delete entries[found]
    }
    file.save()
  }

  return {
    async upsert(id, payload, expiresIn = FOREVER) {
      entries[key(id)] = { payload, expiresAt: now() + expiresIn }
      remove(() => false)
    },
    async find(id) {
      return live(entries[key(id)])
    },
    async findByUid(uid) {
      const found = Object.entries(entries).find(
        ([name, { payload }]) => name.startsWith(`${model}:`) && payload['uid'] === uid,
      )
      return live(found?.[1])
    },
    // There is no device flow here.
    async findByUserCode() {
      return undefined
    },
    async consume(id) {
      const entry = entries[key(id)]
      if (entry !== undefined) entry.payload['consumed'] = now()
      file.save()
    },
    async destroy(id) {
      remove((found) => found === key(id))
    },
    async revokeByGrantId(grantId) {
      remove((found, { payload }) => payload['grantId'] === grantId && found.startsWith(model))
    },
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}
