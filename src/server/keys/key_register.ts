/**
 * The register of keys: which keys an issuer seals with in a store, so that an instance of it with other
 * ones is told apart. Two issuers may share a store and have keys of their own.
 *
 * It is one record for each issuer. A key enters with the first server that has it as its newest, by a check value: a MAC
 * under a derived key of its own, which tells nothing of the key. It leaves when `keys rotate` finds
 * nothing left under it, or is marked as lost by an operator.
 */
import type { Key, Keyring } from '../../crypto/keyring.ts'
import { mac } from '../../crypto/mac.ts'
import { change, type Transition } from '../../stores/change.ts'
import type { ClaimRecord } from '../../stores/records.ts'
import { StoreUnavailable, type Store } from '../../stores/store.ts'
import { judgeKeyring, LOST, type Register } from './judge_keyring.ts'

/** The keys given are not those of the store. Nothing is served: for every caller it is an outage. */
export class KeysRefused extends StoreUnavailable {
  override readonly name = 'KeysRefused'
}

/** The name of each register begins so, and that of no other claim. */
export const REGISTER = 'keys/'

const MAX_ATTEMPTS = 10

/** Of whom the register is, and where. */
export interface RegisterPlace {
  readonly store: Store
  readonly issuer: string
}

/**
 * Checks the keys against the register, and enters the newest where it is not in there.
 * @throws KeysRefused that names the short names of the keys and the mend; StoreUnavailable in an outage
 */
export async function checkKeys({ store, issuer }: RegisterPlace, keys: Keyring): Promise<void> {
  const { fault } = await changeRegister(store, issuer, (record) => {
    const fault = judgeKeyring(readRegister(record), checkValues(keys))
    return fault === undefined ? { next: enterKey(record, keys.newest) } : { fault }
  })
  if (fault !== undefined) throw new KeysRefused(fault.reason)
}

/** Marks a key as lost: nothing it sealed will ever open. False where the register does not have it. */
export async function forgetKey({ store, issuer }: RegisterPlace, kid: string): Promise<boolean> {
  const { isKnown } = await changeRegister(store, issuer, (record) => markLost(record, kid))
  return isKnown
}

/** Whether a key was marked as lost. */
export async function isForgotten({ store, issuer }: RegisterPlace, kid: string): Promise<boolean> {
  const found = await store.find('claim', REGISTER + issuer)
  return found !== undefined && readRegister(found.record).get(kid) === LOST
}

/** What `forgetKey` does to a register. Pure, as are those below. */
export function markLost(
  record: ClaimRecord,
  kid: string,
): { readonly isKnown: boolean; readonly next: ClaimRecord } {
  const register = readRegister(record)
  const isKnown = register.has(kid)
  return { isKnown, next: isKnown ? withKeys(record, [...register, [kid, LOST]]) : record }
}

/** The register with `key` in it; the very same where it is in there. */
export function enterKey(record: ClaimRecord, key: Key): ClaimRecord {
  const register = readRegister(record)
  const check = checkValue(key)
  return register.get(key.kid) === check
    ? record
    : withKeys(record, [...register, [key.kid, check]])
}

/** The register without the keys `kids`; the very same where it has none of them. */
export function leaveOut(record: ClaimRecord, kids: readonly string[]): ClaimRecord {
  const register = readRegister(record)
  const kept = [...register].filter(([kid]) => !kids.includes(kid))
  return kept.length === register.size ? record : withKeys(record, kept)
}

/** `<kid>.<check value>`, parted by spaces. What is not of that form is a key that nobody has. */
export function readRegister({ value = '' }: ClaimRecord): Register {
  const entries = value.split(' ').filter((entry) => entry !== '')
  return new Map(
    entries.map((entry) => {
      const [kid = '', ...check] = entry.split('.')
      return [kid, check.join('.')]
    }),
  )
}

/** The check value of each key, as in a register. */
export function checkValues(keys: Keyring): Register {
  return new Map(keys.all.map((key) => [key.kid, checkValue(key)]))
}

function checkValue(key: Key): string {
  return mac(key, 'key_check', 'mcp-oauth key check')
}

/** Two servers that start at once enter one after the other, and each is judged by what is there then. */
async function changeRegister<T extends Transition<ClaimRecord>>(
  store: Store,
  issuer: string,
  transition: (record: ClaimRecord) => T,
): Promise<T> {
  const empty: ClaimRecord = { id: REGISTER + issuer, expiresAt: undefined, value: '' }
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await store.find('claim', empty.id)
    if (found === undefined) {
      const result = transition(empty)
      const { next = empty } = result
      if (next === empty || (await store.insert('claim', next))) return result
    } else {
      const result = await change(store, 'claim', found, transition)
      if (result !== undefined) return result
    }
  }
  throw new StoreUnavailable('the register of keys comes and goes')
}

/** Of two entries of a key the later one counts. */
function withKeys(
  record: ClaimRecord,
  entries: readonly (readonly [kid: string, check: string])[],
): ClaimRecord {
  const value = [...new Map(entries)].map(([kid, check]) => `${kid}.${check}`).join(' ')
  return { ...record, value }
}
