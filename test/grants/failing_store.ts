/** A store whose calls fail where a test says so: before they do anything, or after they have done it. */
import { StoreUnavailable, type Store } from '../../src/stores/store.ts'

export interface Call {
  readonly verb: 'find' | 'insert' | 'replace' | 'take' | 'list' | 'scan'
  readonly kind: string
  /** How many calls there were before this one. */
  readonly at: number
}

/** `fails` says of each call whether it fails; with `lost` it is done and only its answer is lost. */
export function failingStore(
  store: Store,
  fails: (call: Call) => boolean,
  mode: 'refused' | 'lost' = 'refused',
): Store {
  let at = 0
  async function run<T>(verb: Call['verb'], kind: string, work: () => Promise<T>): Promise<T> {
    const failing = fails({ verb, kind, at })
    at += 1
    if (failing && mode === 'refused') throw new StoreUnavailable('the store is down')
    const result = await work()
    if (failing) throw new StoreUnavailable('the answer of the store was lost')
    return result
  }
  return {
    find: (kind, id) => run('find', kind, () => store.find(kind, id)),
    insert: (kind, record) => run('insert', kind, () => store.insert(kind, record)),
    replace: (kind, record, version) =>
      run('replace', kind, () => store.replace(kind, record, version)),
    take: (kind, id) => run('take', kind, () => store.take(kind, id)),
    list: (kind, index, value, page) =>
      run('list', kind, () => store.list(kind, index, value, page)),
    scan: (kind, page) => run('scan', kind, () => store.scan(kind, page)),
    deleteExpired: (now, limit) => store.deleteExpired(now, limit),
    close: () => store.close(),
  }
}
