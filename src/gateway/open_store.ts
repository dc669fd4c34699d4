/** A store opened from the words of `--store`. */
import { memory } from '../stores/memory.ts'
import { sqlite } from '../stores/sqlite.ts'
import type { Store } from '../stores/store.ts'
import type { Environment } from './read_environment.ts'
import { readStoreSetting, type StoreSetting } from './store_setting.ts'

/** A store, and the way to let go of it and of whatever it was made with. */
export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

/**
 * Opens the store that `place` spells.
 * @throws RangeError when the spelling is wrong, StoreUnavailable when it cannot be opened
 */
export async function openStore(place: string, _environment: Environment): Promise<OpenedStore> {
  const setting = readStoreSetting(place)
  if ('fault' in setting) throw new RangeError(setting.fault)
  return await openSetting(setting)
}

/** Opens the store of a setting that has been judged. */
export async function openSetting(setting: StoreSetting): Promise<OpenedStore> {
  const store = setting.type === 'memory' ? memory() : sqlite(setting.path)
  return { store, close: () => store.close() }
}
