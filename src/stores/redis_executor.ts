/**
 * What the Redis stores need of a client: commands on one key, and the nodes one by one.
 *
 * `redis_clients.ts` makes one of ioredis and of node-redis, `upstash.ts` one that speaks HTTP.
 */

/** What Redis answers, texts as UTF-8. */
export type Reply = string | number | null | undefined | readonly Reply[]

/** The words of a command, the name first. */
export type Command = readonly [name: string, ...words: string[]]

/** A command and the key that says which node it goes to. */
export interface KeyedCommand {
  readonly key: string
  readonly command: Command
}

/** The way to one Redis, however many nodes it has. What it throws is an outage. */
export interface RedisExecutor {
  /** Sends a command to the primary that has its key. */
  send(command: KeyedCommand): Promise<Reply>
  /** Sends several as `send` does, and gives their answers in order. */
  sendAll(commands: readonly KeyedCommand[]): Promise<readonly Reply[]>
  /** Each primary that is there just now. */
  primaries(): Promise<readonly ((command: Command) => Promise<Reply>)[]>
  /** Waits until so many replicas have what was written on the node of `key`; gives how many have. */
  wait?(key: string, replicas: number): Promise<number>
  /** A connection of its own that hears `channels`; absent where there is none to be had. */
  subscribe?(channels: readonly string[], hears: Hears): Subscription
}

export interface Subscription {
  /** When the channels are heard. */
  readonly ready: Promise<unknown>
  stop(): void
}

export interface Hears {
  message(channel: string, text: string): void
  /** Something happened to the connection, so that messages may have been missed. */
  doubt(): void
}

/** How long replicas are waited for, in milliseconds. */
export const WAIT = '1000'

/** One command on one key. */
export function ask(executor: RedisExecutor, key: string, command: Command): Promise<Reply> {
  return executor.send({ key, command })
}

/** A script on one key. */
export function script(key: string, text: string, words: readonly string[]): KeyedCommand {
  return { key, command: ['EVAL', text, '1', key, ...words] }
}
