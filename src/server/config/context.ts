/**
 * What every endpoint is handed: the judged options and the few things that reach outside.
 */
import type { Hash } from '../../crypto/hash.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { RateLimiter } from '../../http/rate_limit.ts'
import type { SafeFetch } from '../../http/safe_fetch.ts'
import type { ScopeHierarchy } from '../../protocol/scope.ts'
import type { ClientMetadata, User } from '../../stores/records.ts'
import type { Store } from '../../stores/store.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Events } from './events.ts'
import type {
  Lifetimes,
  MetadataDocumentOptions,
  RateLimits,
  RegistrationOptions,
} from './options.ts'

/** The options after judgement: complete, canonical, frozen. */
export interface Config {
  readonly issuer: string
  /** The issuer's origin and path; the path is empty or starts with `/` and does not end with one. */
  readonly origin: string
  readonly basePath: string
  readonly secure: boolean
  readonly name: string
  readonly resources: readonly Resource[]
  readonly scopes: ReadonlyMap<string, string>
  readonly hierarchy: ScopeHierarchy
  readonly defaultScope: readonly string[]
  readonly clients: ReadonlyMap<string, StaticClient>
  readonly resourceServers: ReadonlyMap<string, ResourceServer>
  readonly allow: (user: User) => boolean | Promise<boolean>
  readonly lifetimes: Lifetimes
  readonly registration: RegistrationOptions
  readonly metadataDocuments: MetadataDocumentOptions
  readonly trustedProxies: readonly string[]
  readonly rateLimits: RateLimits
  readonly allowedOrigins: readonly string[]
  readonly maxGrantsPerClient: number
}

export interface Resource {
  /** Canonical; the audience of its tokens. */
  readonly resource: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly tools: ReadonlyMap<string, readonly string[]>
}

export interface StaticClient {
  readonly client_id: string
  readonly metadata: ClientMetadata
  readonly client_secret_hash: Hash | undefined
}

export interface ResourceServer {
  readonly client_id: string
  readonly client_secret_hash: Hash
  readonly resource: string
}

export interface Context {
  readonly config: Config
  readonly keys: Keyring
  readonly store: Store
  readonly upstream: Upstream
  /** Seconds since the epoch, whole. */
  readonly clock: () => number
  readonly events: Events
  /** For documents named by clients: public addresses only. */
  readonly fetch: SafeFetch
  readonly limiter: RateLimiter
}
