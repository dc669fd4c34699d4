/**
 * A rotation in the registers of keys: those of every issuer in a store that has one of the keys given.
 */
import type { Keyring } from '../crypto/keyring.ts'
import { judgeKeyring } from '../server/keys/judge_keyring.ts'
import {
  checkValues,
  enterKey,
  KeysRefused,
  leaveOut,
  markLost,
  readRegister,
  REGISTER,
} from '../server/keys/key_register.ts'
import { change, type Transition } from '../stores/change.ts'
import type { ClaimRecord } from '../stores/records.ts'
import type { Store, Versioned } from '../stores/store.ts'

const PAGE = 500

/**
 * Checks that the keys are of this store, before anything is sealed with them. One may be lacking.
 * @throws KeysRefused, StoreUnavailable
 */
export async function checkRotation(store: Store, keys: Keyring): Promise<void> {
  const given = checkValues(keys)
  const faults = (await findRegisters(store)).map(({ record }) =>
    judgeKeyring(readRegister(record), given),
  )
  const clash = faults.find((fault) => fault?.type === 'clash')
  const foreign = faults.find((fault) => fault?.type === 'foreign')
  const isOfNone = faults.every((fault) => fault?.type === 'foreign')
  const fault = clash ?? (isOfNone ? foreign : undefined)
  if (fault !== undefined) throw new KeysRefused(fault.reason)
}

/** Enters the newest key wherever an older one is: from now on it seals. */
export async function enterNewest(store: Store, keys: Keyring): Promise<void> {
  await changeAll(store, (record) => {
    const register = readRegister(record)
    const isOurs = keys.all.some(({ kid }) => register.has(kid))
    return { next: isOurs ? enterKey(record, keys.newest) : record }
  })
}

/** Takes keys out: nothing is sealed with them, and servers may start without them. */
export async function retireKeys(store: Store, kids: readonly string[]): Promise<void> {
  await changeAll(store, (record) => ({ next: leaveOut(record, kids) }))
}

/** Marks a key as lost wherever it is. False where it is nowhere. */
export async function forgetEverywhere(store: Store, kid: string): Promise<boolean> {
  const results = await changeAll(store, (record) => markLost(record, kid))
  return results.some((result) => result?.isKnown === true)
}

async function changeAll<T extends Transition<ClaimRecord>>(
  store: Store,
  transition: (record: ClaimRecord) => T,
): Promise<readonly (T | undefined)[]> {
  const registers = await findRegisters(store)
  return await Promise.all(registers.map((found) => change(store, 'claim', found, transition)))
}

async function findRegisters(store: Store): Promise<readonly Versioned<ClaimRecord>[]> {
  const found = new Map<string, Versioned<ClaimRecord>>()
  let cursor: string | undefined
  do {
    const page = await store.scan('claim', { limit: PAGE, cursor })
    for (const row of page.rows)
      if (row.record.id.startsWith(REGISTER)) found.set(row.record.id, row)
    cursor = page.cursor
  } while (cursor !== undefined)
  return [...found.values()]
}
