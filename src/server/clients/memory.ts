/**
 * What this process remembers about clients, beside the store: clients as they were read, fresh copies
 * of documents, fetches under way, hosts that did not answer, and how many may register. Bounded, and
 * lost without harm.
 */
import { isWorkers } from '../../http/runtime.ts'
import type { PublicJwks } from '../../protocol/client_jwks.ts'
import type { OAuthError } from '../../protocol/errors.ts'
import type { ClientRecord } from '../../stores/records.ts'
import type { Versioned } from '../../stores/store.ts'
import type { Config, Context } from '../config/context.ts'
import type { Client } from './client.ts'

/** Keys of a client as they were fetched. Times in seconds since the epoch. */
export interface KeptKeys {
  readonly jwks: PublicJwks
  readonly fetchedAt: number
  readonly freshUntil: number
}

/** Registrations of one hour that this process has drawn from the store's count and not yet used. */
export interface DrawnRegistrations {
  /** Hours since the epoch. */
  readonly hour: number
  left: number
  /** How many registrations wait for the next draw. */
  waiting: number
  /** Nothing is left in the store either. */
  isSpent: boolean
}

/** A registered client as it was read, and judged at that version. */
export interface ReadClient extends Versioned<ClientRecord> {
  readonly client: Client
  /** Seconds since the epoch. */
  readonly readAt: number
}

export interface ClientMemory {
  drawn: DrawnRegistrations
  /** Registered clients as they were last read, and when. */
  readonly registered: Map<string, ReadClient>
  readonly documents: Map<string, { readonly client: Client; readonly freshUntil: number }>
  readonly keys: Map<string, KeptKeys>
  /** Fetches under way by URL, and draws by hour, so that many who ask at once cause one. */
  readonly fetching: Map<string, Promise<unknown>>
  /** URLs whose hosts did not answer, and until when nobody tries again. */
  readonly unreachable: Map<string, { readonly error: OAuthError; readonly until: number }>
}

const MAX_ENTRIES = 1000
const memories = new WeakMap<Config, ClientMemory>()

/** The memory of the server that `context` belongs to. */
export function memoryOf({ config }: Context): ClientMemory {
  const known = memories.get(config)
  if (known !== undefined) return known
  const made: ClientMemory = {
    drawn: { hour: -1, left: 0, waiting: 0, isSpent: false },
    registered: new Map(),
    documents: new Map(),
    keys: new Map(),
    fetching: new Map(),
    unreachable: new Map(),
  }
  memories.set(config, made)
  return made
}

/** Puts `value` in as the newest; past 1000 entries the oldest goes. */
export function remember<T>(map: Map<string, T>, key: string, value: NoInfer<T>): void {
  map.delete(key)
  if (map.size >= MAX_ENTRIES) map.delete(map.keys().next().value ?? '')
  map.set(key, value)
}

/**
 * The result of `work` under `key`; whoever asks while it is under way gets the same. Not so on Workers,
 * where it would be lost for all with the one request that began it.
 */
export function onceAtATime<T>(
  fetching: Map<string, Promise<unknown>>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  if (isWorkers) return work()
  const running = fetching.get(key)
  // Each key is used for one type of work only, which its callers see to.
  if (running !== undefined) return running as Promise<T>
  const started = work().finally(() => fetching.delete(key))
  fetching.set(key, started)
  return started
}
