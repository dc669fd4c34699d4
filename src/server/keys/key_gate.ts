/**
 * The gate before everything that needs the store: closed until the keys were found to be those of the
 * store, once in the life of a process. Behind it, it costs a look at a variable.
 */
import { isWorkers } from '../../http/runtime.ts'
import type { Context } from '../config/context.ts'
import { checkKeys, KeysRefused } from './key_register.ts'

export interface KeyGate {
  /** Whether the check has passed. */
  isOpen(): boolean
  /** Waits for the check, or makes it. @throws KeysRefused, StoreUnavailable */
  pass(): Promise<void>
  /** Makes the check now, whatever came of the last. @throws KeysRefused, StoreUnavailable */
  check(): Promise<void>
}

/** Seconds between two checks while the keys are refused: the fault may be mended at the other side. */
const PAUSE = 5

export function createKeyGate({
  config: { issuer },
  store,
  keys,
  clock,
  events,
}: Context): KeyGate {
  let isOpen = false
  let refused: { readonly at: number; readonly error: KeysRefused } | undefined
  let checking: Promise<void> | undefined

  async function run(): Promise<void> {
    try {
      await checkKeys({ store, issuer }, keys)
      isOpen = true
    } catch (error) {
      if (error instanceof KeysRefused) {
        refused = { at: clock(), error }
        events.emit({ type: 'keys_refused', reason: error.message })
      }
      throw error
    } finally {
      checking = undefined
    }
  }

  function check(): Promise<void> {
    if (isWorkers) return run()
    checking ??= run()
    return checking
  }

  return {
    isOpen: () => isOpen,
    async pass() {
      if (isOpen) return
      const age = refused === undefined ? PAUSE : clock() - refused.at
      // A clock that was turned back does not keep the gate closed.
      if (refused !== undefined && age >= 0 && age < PAUSE) throw refused.error
      await check()
    },
    check,
  }
}
