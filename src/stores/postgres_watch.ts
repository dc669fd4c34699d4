/**
 * Changes to grants as they happen: LISTEN on a connection that is kept for it.
 *
 * A feed that fell silent looks like one with nothing to tell, so a word of our own is sent around every
 * other second, over another connection. If it does not come back the feed is broken: the listener is
 * told so, and again until a new connection hears.
 */
import { startDeadline } from './postgres_deadline.ts'
import { textOf } from './postgres_keys.ts'
import {
  ignore,
  type PostgresClient,
  type PostgresNotification,
  type Sender,
} from './postgres_pool.ts'
import type { Feed } from './postgres_records.ts'
import { StoreUnavailable } from './store.ts'

export type GrantListener = (grantId: string | undefined) => void

/** Milliseconds between two words sent around, and how long one may take. */
const BEAT = 2000
const PATIENCE = 2000
/** Milliseconds between two attempts to listen again. */
const AGAIN = 500

/** The word that is sent around; no prefix of a store looks like it. */
const WORD = '?'

/** A connection that listens. */
interface Ear {
  /** Ends when the feed breaks. */
  readonly broken: Promise<void>
  close(): void
}

/**
 * Calls `listener` for each change that another sender of `feed` has told. `sender` writes, `listening`
 * gives the connection that is kept.
 * @throws StoreUnavailable when nothing that is sent around arrives.
 */
export async function watchGrants(
  sender: Sender,
  listening: Sender,
  feed: Feed,
  listener: GrantListener,
): Promise<() => Promise<void>> {
  let stopped = false
  let wake = ignore
  let ear = await listen(sender, listening, feed, listener)

  async function keepListening(): Promise<void> {
    for (;;) {
      await ear.broken
      if (stopped) return
      listener(undefined)
      await pause()
      while (!stopped && !(await listenAgain())) {
        listener(undefined)
        await pause()
      }
      if (stopped) return ear.close()
      listener(undefined)
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN).unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function listenAgain(): Promise<boolean> {
    try {
      ear = await listen(sender, listening, feed, listener)
      return true
    } catch {
      return false
    }
  }

  const kept = keepListening()
  return async () => {
    stopped = true
    ear.close()
    wake()
    await kept
  }
}

async function listen(
  sender: Sender,
  listening: Sender,
  { channel, prefix }: Feed,
  listener: GrantListener,
): Promise<Ear> {
  const client = await listening.borrow()
  const word = WORD + prefix
  let heard = ignore
  let timer: NodeJS.Timeout | undefined
  let open = true
  let ended = ignore
  const broken = new Promise<void>((resolve) => (ended = resolve))

  function onNotification({ channel: from, payload = '' }: PostgresNotification): void {
    if (!open || from !== channel) return
    if (payload === word) heard()
    else if (!payload.startsWith(WORD) && !payload.startsWith(prefix)) {
      listener(textOf(payload.slice(payload.indexOf(' ') + 1)))
    }
  }

  function close(): void {
    if (!open) return
    open = false
    clearTimeout(timer)
    client.off('notification', onNotification)
    // It listens, so it is closed: the pool's next borrower should not.
    client.release(true)
    ended()
  }

  async function sendAround(): Promise<void> {
    const deadline = startDeadline(PATIENCE)
    try {
      const arrived = new Promise<void>((resolve) => (heard = resolve))
      const sent = sender.send('SELECT pg_notify($1, $2)', [channel, word])
      sent.catch(ignore)
      await deadline.race(Promise.all([arrived, sent]))
    } finally {
      deadline.end()
    }
  }

  function beat(): void {
    timer = setTimeout(() => {
      sendAround().then(() => open && beat(), close)
    }, BEAT).unref()
  }

  client.on('notification', onNotification)
  client.on('error', close)
  client.on('end', close)
  await startListening(client, channel, sendAround, close)
  beat()
  return { broken, close }
}

async function startListening(
  client: PostgresClient,
  channel: string,
  sendAround: () => Promise<void>,
  close: () => void,
): Promise<void> {
  const deadline = startDeadline(PATIENCE)
  try {
    await deadline.race(client.query({ text: `LISTEN "${channel}"` }))
    await sendAround()
  } catch (cause) {
    close()
    throw new StoreUnavailable(
      'no change that PostgreSQL tells of arrives; behind a pooler, or with a pool of one connection, set the option `listen`',
      { cause },
    )
  } finally {
    deadline.end()
  }
}
