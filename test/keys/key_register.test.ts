/** The register of keys in a store: who may serve from it. */
import { describe, expect, it } from 'vitest'
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import {
  checkKeys,
  checkValues,
  forgetKey,
  isForgotten,
  KeysRefused,
} from '../../src/server/keys/key_register.ts'
import { retireKeys } from '../../src/moving/key_rotation.ts'
import { memory } from '../../src/stores/memory.ts'
import { sqlite } from '../../src/stores/sqlite.ts'
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'
import { tempFiles } from '../support/temp.ts'

const fresh = tempFiles('.db')
const [OLD, NEW, OTHER] = [generateKey(), generateKey(), generateKey()]
const ISSUER = 'https://mcp.example.com'
const ID = `keys/${ISSUER}`
const kid = (key: string): string => createKeyring([key]).newest.kid
const check = (key: string): string => checkValues(createKeyring([key])).get(kid(key)) ?? ''
const start = (store: Store, ...keys: string[]) =>
  checkKeys({ store, issuer: ISSUER }, createKeyring(keys))

async function refusal(checking: Promise<void>): Promise<string> {
  const error: unknown = await checking.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(KeysRefused)
  return (error as KeysRefused).message
}

describe('ST-06 the keys of another store', () => {
  it('ST-06 are refused with the names of both and the mend, and nothing is written', async () => {
    const store = memory()
    await start(store, OLD)
    const before = await store.find('claim', ID)
    const told = await refusal(start(store, OTHER))
    expect(told).toContain(`these keys (${kid(OTHER)}) are not of this store`)
    expect(told).toContain(kid(OLD))
    expect(told).toContain(`mcp-oauth keys rotate --forget=${kid(OLD)}`)
    expect(told).not.toContain('mok_')
    expect(await store.find('claim', ID)).toEqual(before)
  })

  it('ST-06 another key of the same short name is refused', async () => {
    const store = memory()
    const value = `${kid(OLD)}.${check(NEW)}`
    await store.insert('claim', { id: ID, expiresAt: undefined, value })
    expect(await refusal(start(store, OLD))).toContain('another key with the short name')
    expect(await refusal(start(store, NEW, OLD))).toContain('another key with the short name')
  })

  it.each(['damaged', 'a.b.c', '.', 'mok_x.', ' . x'])(
    'ST-06 a register that cannot be read, %j, lets nobody in',
    async (value) => {
      const store = memory()
      await store.insert('claim', { id: ID, expiresAt: undefined, value })
      await refusal(start(store, OLD))
    },
  )

  it('ST-06 a stolen register tells nothing of the key, and is bound to its purpose', async () => {
    const store = memory()
    await start(store, OLD)
    const { record } = (await store.find('claim', ID))!
    expect(record).toEqual({
      id: ID,
      expiresAt: undefined,
      value: `${kid(OLD)}.${check(OLD)}`,
    })
    expect(record.value).not.toContain(OLD.slice(4, 12))
    expect(check(OLD)).not.toBe(check(NEW))
  })

  it('ST-06 of two first servers with different keys, one wins and the other is refused', async () => {
    const file = fresh()
    const stores = [sqlite(file), sqlite(file)] as const
    const results = await Promise.allSettled([start(stores[0], OLD), start(stores[1], NEW)])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const store of stores) await store.close()
  })

  it('ST-06 an outage is no refusal', async () => {
    const down = { ...memory(), find: () => Promise.reject(new StoreUnavailable('down')) }
    const error: unknown = await start(down, OLD).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StoreUnavailable)
    expect(error).not.toBeInstanceOf(KeysRefused)
  })
})

describe('MI-03 a new key is rolled out', () => {
  it('MI-03 second everywhere, then first everywhere: every server may start at every moment', async () => {
    const store = memory()
    for (const keys of [[OLD], [OLD, NEW], [OLD], [OLD, NEW], [NEW, OLD], [OLD, NEW]]) {
      await start(store, ...keys)
    }
  })

  it('MI-03 a server that was left with the old key alone is refused, and told what to do', async () => {
    const store = memory()
    await start(store, OLD)
    await start(store, NEW, OLD)
    const told = await refusal(start(store, OLD))
    expect(told).toContain(`(${kid(OLD)}) lack ${kid(NEW)}`)
    expect(told).toContain('second on every server before it goes first on any')
  })

  it('MI-03 the old key may go when nothing is left under it, and not before', async () => {
    const store = memory()
    await start(store, OLD)
    await start(store, NEW, OLD)
    expect(await refusal(start(store, NEW))).toContain(`lack ${kid(OLD)}`)
    await retireKeys(store, [kid(OLD)])
    await start(store, NEW)
    // One that was rolled back seals with it again.
    await start(store, OLD, NEW)
    expect(await refusal(start(store, NEW))).toContain(`lack ${kid(OLD)}`)
  })

  it('MI-03 fifty replicas start at once with the same new key', async () => {
    const file = fresh()
    const stores = [sqlite(file), sqlite(file)]
    await start(stores[0]!, OLD)
    const starts = Array.from({ length: 50 }, (_, at) => start(stores[at % 2]!, NEW, OLD))
    await Promise.all(starts)
    const value = (await stores[0]!.find('claim', ID))?.record.value
    expect(value?.split(' ').map((entry) => entry.split('.')[0])).toEqual([kid(OLD), kid(NEW)])
    for (const store of stores) await store.close()
  })
})

describe('TN-01 two issuers on one store', () => {
  it('TN-01 have keys of their own', async () => {
    const store = memory()
    await start(store, OLD)
    const other = { store, issuer: 'https://other.example.com' }
    await checkKeys(other, createKeyring([NEW]))
    await start(store, OLD)
    await refusal(checkKeys(other, createKeyring([OLD])))
  })
})

describe('ST-06 a key that is lost for good', () => {
  it('ST-06 is forgotten on demand, and nothing else is', async () => {
    const store = memory()
    await start(store, OLD)
    await start(store, NEW, OLD)
    expect(await forgetKey({ store, issuer: ISSUER }, kid(OTHER))).toBe(false)
    expect(await forgetKey({ store, issuer: ISSUER }, kid(OLD))).toBe(true)
    await start(store, NEW)
    expect(await isForgotten({ store, issuer: ISSUER }, kid(OLD))).toBe(true)
    expect(await isForgotten({ store, issuer: ISSUER }, kid(NEW))).toBe(false)
    await refusal(start(store, OLD))
  })

  it('ST-06 all keys lost: the next server begins anew; a key that was found again enters again', async () => {
    const store = memory()
    await start(store, OLD)
    await forgetKey({ store, issuer: ISSUER }, kid(OLD))
    await start(store, NEW)
    await refusal(start(store, OTHER))
    await start(store, OLD, NEW)
    expect(await isForgotten({ store, issuer: ISSUER }, kid(OLD))).toBe(false)
  })
})
