/**
 * Group commit: the writes of one turn of the event loop share one transaction, and each is answered
 * after the commit. So an answer means durable, and a busy server pays for one commit a turn.
 */
import { rollBack, type SqliteDatabase } from './sqlite_database.ts'
import { StoreUnavailable } from './store.ts'

export interface WriteQueue {
  /** Runs `operation` within the next transaction and gives its result after the commit. */
  write<T>(operation: () => T): Promise<T>
  /** Commits what waits, now. */
  flush(): void
}

interface Waiting {
  readonly operation: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: StoreUnavailable) => void
  result: unknown
}

/** The step at which a transaction failed. Nothing of it was kept. */
interface Failure {
  readonly step: 'begin' | 'operation' | 'commit'
  readonly cause: unknown
}

type Transact = (group: readonly Waiting[]) => Failure | undefined

/** A queue of writes to `database`; `onCommit` is called after each turn's writes. */
export function createWriteQueue(database: SqliteDatabase, onCommit: () => void): WriteQueue {
  const transact = createTransact(database)
  let waiting: Waiting[] = []
  function flush(): void {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    commitBatch(transact, batch)
    onCommit()
  }
  return {
    flush,
    write<T>(operation: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush)
        const answer = (result: unknown): void => resolve(result as T)
        waiting.push({ operation, resolve: answer, reject, result: undefined })
      })
    },
  }
}

function createTransact(database: SqliteDatabase): Transact {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  return function transact(group) {
    let step: Failure['step'] = 'begin'
    try {
      begin.run()
      step = 'operation'
      for (const entry of group) entry.result = entry.operation()
      step = 'commit'
      commit.run()
      return undefined
    } catch (cause) {
      if (step !== 'begin') rollBack(database)
      return { step, cause }
    }
  }
}

function commitBatch(transact: Transact, batch: readonly Waiting[]): void {
  const failure = transact(batch)
  if (failure?.step === 'operation' && batch.length > 1) commitOneByOne(transact, batch)
  else settle(batch, failure)
}

/** One operation that fails must not fail its neighbours, so each gets a transaction of its own. */
function commitOneByOne(transact: Transact, batch: readonly Waiting[]): void {
  for (const [at, entry] of batch.entries()) {
    const failure = transact([entry])
    // The database itself refuses: the others would each wait as long for the same answer.
    if (failure !== undefined && failure.step !== 'operation') {
      settle(batch.slice(at), failure)
      return
    }
    settle([entry], failure)
  }
}

function settle(group: readonly Waiting[], failure: Failure | undefined): void {
  for (const entry of group) {
    if (failure === undefined) entry.resolve(entry.result)
    else entry.reject(new StoreUnavailable('SQLite did not write', { cause: failure.cause }))
  }
}
