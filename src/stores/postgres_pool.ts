/**
 * The user's pool, and how one statement is sent through it: within a time, over a connection that is
 * given back whole or thrown away, and again where PostgreSQL has asked for that.
 *
 * Every verb is one statement of its own, so there is no session to keep and no transaction to leave
 * open: a pooler between us and the server may deal each statement to another connection.
 */
import { sha256 } from '../crypto/hash.ts'
import { type Deadline, startDeadline } from './postgres_deadline.ts'
import { StoreUnavailable } from './store.ts'

/** What is asked: a statement, its values, and the name that it is prepared under. */
export interface PostgresQuery {
  readonly text: string
  readonly values?: unknown[]
  readonly name?: string
}

/** The methods that are called on a connection out of the pool. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<{ readonly rows: readonly unknown[] }>
  /** Gives it back; with an error, closes it. */
  release(error?: Error | boolean): void
  on(event: PostgresEvent, listener: (message: PostgresNotification) => void): unknown
  off(event: PostgresEvent, listener: (message: PostgresNotification) => void): unknown
}

export type PostgresEvent = 'error' | 'notification' | 'end'

/** What a connection that listens is told. */
export interface PostgresNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** The methods that are called on a pool: `Pool` of pg, and what is made after it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

export type PostgresRow = Readonly<{ [column: string]: unknown }>

export interface Sender {
  /** Sends a statement as often as it takes; its rows. So many callers wait for them, 1 when left out. */
  send(text: string, values: readonly unknown[], callers?: number): Promise<readonly PostgresRow[]>
  /** Sends several statements at once as one transaction, without values. */
  sendAll(text: string): Promise<void>
  /** A connection to keep, until it is released. */
  borrow(): Promise<PostgresClient>
}

interface SenderState {
  readonly pool: PostgresPool
  /** Milliseconds. */
  readonly timeout: number
  prepare: boolean
  /** How many callers `connect()` has not answered, whether they still wait or not. */
  connecting: number
}

type Send = (client: PostgresClient) => Promise<{ readonly rows: readonly unknown[] }>

/** While nothing answers, so many callers may wait. The next ones are refused at once. */
const MAX_CONNECTING = 10_000
const MAX_ATTEMPTS = 10

/**
 * What gave way to another transaction and may be run again: serialization_failure, deadlock_detected,
 * and what two that make the same tables do to each other. No other statement can break a unique index.
 */
const AGAIN: ReadonlySet<unknown> = new Set(['40001', '40P01', '23505', '42P06', '42P07'])
/** A pooler has dealt us a connection without our prepared statement, or with it: it was not run. */
const UNPREPARED: ReadonlySet<unknown> = new Set(['26000', '42P05'])
/** query_canceled, as by `statement_timeout`; lock_not_available, as by `lock_timeout`. */
const TOO_LONG: ReadonlySet<unknown> = new Set(['57014', '55P03'])
/** A standby: after a failover the pool must let go of this connection and find the primary. */
const READ_ONLY = '25006'

/** A sender over `pool`; `timeout` is in seconds. */
export function createSender(pool: PostgresPool, timeout: number, prepare: boolean): Sender {
  const state: SenderState = { pool, timeout: timeout * 1000, prepare, connecting: 0 }
  return {
    async send(text, values, callers = 1) {
      const query = { text, values: [...values] }
      const name = nameOf(text)
      const result = await sendInTime(state, callers, (client) =>
        client.query(state.prepare ? { ...query, name } : query),
      )
      return result.rows as readonly PostgresRow[]
    },
    async sendAll(text) {
      await sendInTime(state, 1, (client) => client.query({ text }))
    },
    async borrow() {
      return inTime(state, (deadline) => connect(state, deadline, 1))
    },
  }
}

const NAMES = new Map<string, string>()

/** What a statement is prepared under. There are as many as the store has statements and schemas. */
function nameOf(text: string): string {
  const name = NAMES.get(text) ?? `mcp_oauth_${sha256(text).slice(0, 22)}`
  NAMES.set(text, name)
  return name
}

function sendInTime(state: SenderState, callers: number, send: Send): ReturnType<Send> {
  return inTime(state, (deadline) => sendAgain(state, deadline, callers, send))
}

async function inTime<T>(
  { timeout }: SenderState,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(timeout)
  try {
    return await work(deadline)
  } catch (cause) {
    throw new StoreUnavailable('PostgreSQL did not answer', { cause })
  } finally {
    deadline.end()
  }
}

async function sendAgain(
  state: SenderState,
  deadline: Deadline,
  callers: number,
  send: Send,
): ReturnType<Send> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(state, deadline, callers, send)
    } catch (error) {
      const code = codeOf(error)
      if (state.prepare && UNPREPARED.has(code)) state.prepare = false
      else if (!AGAIN.has(code) && !UNPREPARED.has(code)) throw error
      if (attempt === MAX_ATTEMPTS) throw error
      await deadline.pause(attempt * 5)
    }
  }
}

async function sendOnce(
  state: SenderState,
  deadline: Deadline,
  callers: number,
  send: Send,
): ReturnType<Send> {
  const client = await connect(state, deadline, callers)
  // A connection that breaks tells it twice: to the query, and as an event that nobody may miss.
  client.on('error', ignore)
  try {
    const result = await deadline.race(send(client))
    client.off('error', ignore)
    client.release()
    return result
  } catch (error) {
    if (isWhole(error)) {
      client.off('error', ignore)
      client.release()
    } else client.release(error instanceof Error ? error : true)
    throw error
  }
}

/** A connection of the pool. One that comes too late goes back unused: its statement must not run then. */
async function connect(
  state: SenderState,
  deadline: Deadline,
  callers: number,
): Promise<PostgresClient> {
  if (state.connecting >= MAX_CONNECTING) throw new Error('too many wait for a connection')
  state.connecting += callers
  const connecting = state.pool.connect().finally(() => {
    state.connecting -= callers
  })
  try {
    return await deadline.race(connecting)
  } catch (error) {
    connecting.then((client) => client.release(), ignore)
    throw error
  }
}

/** Whether a statement was refused, so that nothing was done, and not because it took too long. */
export function isRefusal(error: unknown): boolean {
  const { cause } = error instanceof StoreUnavailable ? error : {}
  return isWhole(cause) && !TOO_LONG.has(codeOf(cause))
}

/** Whether the connection can be used again: the server has refused a statement and nothing more. */
function isWhole(error: unknown): boolean {
  return (
    error instanceof Error &&
    Reflect.get(error, 'severity') === 'ERROR' &&
    codeOf(error) !== READ_ONLY
  )
}

/** The SQLSTATE of an error. */
function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined
}

/** Somebody else is told, or nobody needs to be. */
export function ignore(): void {}
