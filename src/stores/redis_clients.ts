/**
 * ioredis and node-redis, one server or a cluster, told apart by the methods they have.
 *
 * A client stays its owner's: it is never closed, and reconnects and follows a failover as its owner has
 * set it up. Only what hears changes is a connection of ours, a duplicate of it.
 */
import { type Connection, createGathering } from './redis_gathering.ts'
import { hashingScripts } from './redis_hashed.ts'
import {
  type Command,
  type Hears,
  type KeyedCommand,
  type RedisExecutor,
  type Reply,
  type Subscription,
  WAIT,
} from './redis_executor.ts'

/** ioredis: `Redis`, alone or behind Sentinel. */
export interface IoRedisClient extends Connection {
  call(name: string, ...words: string[]): Promise<unknown>
  duplicate(override?: object): object
  pipeline(commands: string[][]): IoRedisPipeline
}

interface IoRedisPipeline {
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

/** ioredis: `Cluster`. */
export interface IoRedisCluster {
  call(name: string, ...words: string[]): Promise<unknown>
  duplicate(): object
  pipeline(commands: string[][]): IoRedisPipeline
  nodes(role: 'master'): readonly IoRedisClient[]
}

/** node-redis: `createClient`. */
export interface NodeRedisClient {
  sendCommand(words: string[]): Promise<unknown>
  duplicate(): object
}

/** node-redis: `createCluster`. */
export interface NodeRedisCluster {
  sendCommand(key: string, isReadonly: boolean, words: string[]): Promise<unknown>
  readonly masters: readonly object[]
  nodeClient(node: never): unknown
  duplicate(): object
}

export type RedisClient = IoRedisClient | IoRedisCluster | NodeRedisClient | NodeRedisCluster

/**
 * The executor of a client.
 * @throws TypeError when it is neither ioredis' nor node-redis', or puts a prefix of its own to keys
 */
export function createExecutor(client: RedisClient): RedisExecutor {
  const { options } = client as { readonly options?: { readonly keyPrefix?: unknown } }
  // Such a prefix is not put to what SCAN looks for, so nothing would be found there.
  if (options?.keyPrefix) throw new TypeError('leave keyPrefix out, and give redis() a prefix')
  if (has(client, 'call')) return ioRedis(client as IoRedisClient | IoRedisCluster)
  if (has(client, 'nodeClient')) return nodeRedisCluster(client as NodeRedisCluster)
  if (has(client, 'sendCommand')) return nodeRedis(client as NodeRedisClient)
  throw new TypeError('redis() takes a client of ioredis or of node-redis')
}

function has(client: object, method: string): boolean {
  return typeof Reflect.get(client, method) === 'function'
}

function ioRedis(client: IoRedisClient | IoRedisCluster): RedisExecutor {
  const caller = (node: Pick<IoRedisClient, 'call'>) => (command: Command) =>
    node.call(...command) as Promise<Reply>
  const call = caller(client)
  const gather = createGathering(() => ('nodes' in client ? client.nodes('master') : [client]))
  const send = hashingScripts(({ command }) => {
    gather()
    return call(command)
  })
  let opened = 0
  return {
    send,
    sendAll: async (commands) => Promise.all(commands.map(send)),
    primaries: async () => {
      if (!('nodes' in client)) return [call]
      // Until the first command of a cluster there may be no nodes.
      await call(['PING'])
      return client.nodes('master').map(caller)
    },
    wait: async (key, replicas) => {
      // The key of the first says which node the second goes to.
      const commands = [
        ['exists', key],
        ['wait', `${replicas}`, WAIT],
      ]
      const [error, heard] = (await client.pipeline(commands).exec())?.at(1) ?? []
      if (error) throw error
      return Number(heard ?? 0)
    },
    subscribe: (channels, hears) => {
      const feed = 'nodes' in client ? nodeFeed(client, (opened += 1)) : client.duplicate()
      return ioRedisFeed(feed as IoRedisFeed, channels, hears)
    },
  }
}

/**
 * A connection to one primary, another one each time. A cluster's own would change to another node
 * without a word, and so without anybody's doubt about what was missed.
 */
function nodeFeed(cluster: IoRedisCluster, at: number): object {
  const nodes = cluster.nodes('master')
  const node = nodes[at % nodes.length]
  if (node === undefined) throw new Error('the cluster has no node just now')
  // The connections of a cluster do not come back by themselves.
  return node.duplicate({ retryStrategy: (times: number) => Math.min(times * 50, 1000) })
}

function ioRedisFeed(feed: IoRedisFeed, channels: readonly string[], hears: Hears): Subscription {
  for (const event of DOUBTS) feed.on(event, () => hears.doubt())
  feed.on('message', (channel, text) => hears.message(String(channel), String(text)))
  return { ready: feed.subscribe(...channels), stop: () => feed.disconnect() }
}

function nodeRedis(client: NodeRedisClient): RedisExecutor {
  const call = (command: Command): Promise<Reply> =>
    client.sendCommand([...command]) as Promise<Reply>
  const send = hashingScripts(({ command }) => call(command))
  return {
    send,
    sendAll: async (commands) => Promise.all(commands.map(send)),
    primaries: async () => [call],
    wait: async (_, replicas) => Number(await call(['WAIT', `${replicas}`, WAIT])),
    subscribe: (channels, hears) => nodeRedisFeed(client, channels, hears),
  }
}

function nodeRedisCluster(client: NodeRedisCluster): RedisExecutor {
  const call = ({ key, command }: KeyedCommand): Promise<Reply> =>
    client.sendCommand(key, false, [...command]) as Promise<Reply>
  const send = hashingScripts(call)
  return {
    send,
    sendAll: async (commands) => Promise.all(commands.map(send)),
    primaries: async () =>
      client.masters.map((master) => async (command: Command) => {
        const node = (await client.nodeClient(master as never)) as NodeRedisClient
        return (await node.sendCommand([...command])) as Reply
      }),
    wait: async (key, replicas) =>
      Number(await call({ key, command: ['WAIT', `${replicas}`, WAIT] })),
    subscribe: (channels, hears) => nodeRedisFeed(client, channels, hears),
  }
}

/** What may mean that a message was missed, by the names that the four clients have for it. */
const DOUBTS: readonly string[] = [
  ...['error', 'close', 'end', 'reconnecting', 'ready'],
  ...['node-error', 'node-disconnect', 'node-reconnecting'],
]

interface Feed {
  on(event: string, heard: (...details: unknown[]) => void): unknown
}

interface IoRedisFeed extends Feed {
  subscribe(...channels: string[]): Promise<unknown>
  disconnect(): void
}

interface NodeRedisFeed extends Feed {
  connect(): Promise<unknown>
  subscribe(
    channels: readonly string[],
    heard: (text: string, channel: string) => void,
  ): Promise<unknown>
  destroy(): void
}

function nodeRedisFeed(
  client: NodeRedisClient | NodeRedisCluster,
  channels: readonly string[],
  hears: Hears,
): Subscription {
  const feed = client.duplicate() as NodeRedisFeed
  for (const event of DOUBTS) feed.on(event, () => hears.doubt())
  const open = async (): Promise<void> => {
    await feed.connect()
    await feed.subscribe(channels, (text, channel) => hears.message(channel, text))
  }
  return { ready: open(), stop: () => destroy(feed) }
}

function destroy(feed: NodeRedisFeed): void {
  try {
    feed.destroy()
  } catch {
    // It was not open any more.
  }
}
