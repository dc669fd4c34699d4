/**
 * Hearing of changed grants over pub/sub, which forgets what nobody heard.
 *
 * So the feed proves itself: every second a number goes out on a channel of this feed's own. While none
 * comes back, and whenever anything happened to the connection, the listener hears that changes may have
 * been missed: at once, each second meanwhile, and once more when the numbers come again.
 */
import { randomSecret } from '../crypto/random.ts'
import type { Hears, RedisExecutor, Subscription } from './redis_executor.ts'
import { attempt, type RedisPlace } from './redis_records.ts'

type Listener = (grantId: string | undefined) => void
type Subscribe = NonNullable<RedisExecutor['subscribe']>

const BEAT = 1000
// After so many beats without a number the connection is given up for another.
const GIVEN_UP = 5

interface Feed {
  readonly place: RedisPlace
  readonly subscribe: Subscribe
  readonly listener: Listener
  /** The channel that only this feed hears. */
  readonly own: string
  subscription: Subscription | undefined
  /** The last number that went out, the last that came back, and the one that ends the doubt. */
  said: number
  heard: number
  needed: number
  missed: number
  ended: boolean
}

/** Tells `listener` of every change that another instance makes, from when it is ready to its stop. */
export function watch(place: RedisPlace, subscribe: Subscribe, listener: Listener): Subscription {
  const feed: Feed = {
    place,
    subscribe,
    listener,
    own: `${place.keys.channel}:${randomSecret(9)}`,
    subscription: undefined,
    said: 0,
    heard: 0,
    needed: 0,
    missed: 0,
    ended: false,
  }
  const ready = open(feed)
  // Whoever waits for it hears of its failure; when it is stopped before, nobody does.
  ready.catch(() => undefined)
  const timer = setInterval(() => beat(feed), BEAT)
  timer.unref()
  return {
    ready,
    stop: () => {
      feed.ended = true
      clearInterval(timer)
      feed.subscription?.stop()
    },
  }
}

async function open(feed: Feed): Promise<void> {
  let opening = true
  const hears: Hears = {
    message: (channel, text) => hear(feed, channel, text),
    // Becoming ready for the first time is no cause for doubt.
    doubt: () => void (opening || feed.ended || doubt(feed)),
  }
  feed.subscription = feed.subscribe([feed.place.keys.channel, feed.own], hears)
  await feed.subscription.ready
  opening = false
}

function hear(feed: Feed, channel: string, text: string): void {
  if (feed.ended) return
  if (channel === feed.own) return heardNumber(feed, Number(text))
  const at = text.indexOf(' ')
  if (text.slice(0, at) !== feed.place.instance) feed.listener(readId(text.slice(at + 1)))
}

/** What nobody of ours has said is heard as any change. */
function readId(text: string): string | undefined {
  try {
    const id: unknown = JSON.parse(text)
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

function heardNumber(feed: Feed, heard: number): void {
  const doubted = feed.heard < feed.needed
  feed.heard = Math.max(feed.heard, heard)
  feed.missed = 0
  if (doubted && feed.heard >= feed.needed) feed.listener(undefined)
}

/** Only a number that goes out from now on can end the doubt. */
function doubt(feed: Feed): void {
  feed.needed = feed.said + 1
  feed.listener(undefined)
  say(feed)
}

function beat(feed: Feed): void {
  if (feed.heard === feed.said) return say(feed)
  feed.missed += 1
  if (feed.missed % GIVEN_UP === 0) {
    feed.subscription?.stop()
    // Where none can be had either, these beats are missed as well.
    void open(feed).catch(() => undefined)
  }
  doubt(feed)
}

function say(feed: Feed): void {
  const { place, own } = feed
  feed.said += 1
  void attempt(place, [{ key: own, command: ['PUBLISH', own, `${feed.said}`] }])
}
