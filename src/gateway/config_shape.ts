/**
 * Every key of the config file. Those of the library have the library's names and rules; what their
 * values may be is the library's to judge, and here is only what a JSON file can get wrong.
 */
import type { StaticClientOptions } from '../server/config/options.ts'
import type { AllowOptions, Options, ResourceOptions } from '../server/config/options.ts'
import type { Store } from '../stores/store.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Timeouts } from './backend.ts'
import { IDENTITIES, type Identity } from './identity.ts'
import {
  built,
  code,
  either,
  flag,
  group,
  listOf,
  number,
  recordOf,
  text,
  value,
  type Shape,
} from './shape.ts'

/** An MCP endpoint of several, with the backend behind it. */
export interface ResourceSetting extends ResourceOptions {
  readonly to: string
  readonly required?: boolean
  readonly identity?: Identity | readonly Identity[]
}

/** An upstream in words. `name` is a preset or an issuer URL. */
export interface UpstreamSetting {
  readonly name?: string
  readonly client_id?: string
  readonly client_secret?: string
  readonly scope?: readonly string[]
}

/** What the config file may hold; flags and environment are other spellings of it. */
export interface ConfigFile extends Omit<
  Partial<Options>,
  'resource' | 'resources' | 'keys' | 'store' | 'upstream' | 'clock'
> {
  readonly to?: string
  readonly resource?: string
  readonly resources?: readonly ResourceSetting[]
  readonly keys?: string | readonly string[]
  readonly store?: string | Store
  readonly upstream?: string | UpstreamSetting | Upstream
  readonly port?: number
  readonly host?: string
  readonly identity?: Identity | readonly Identity[]
  readonly required?: boolean
  readonly timeouts?: Partial<Timeouts>
  readonly recheck?: number
  readonly callsPerUser?: number
  readonly passHeaders?: readonly string[]
  readonly drain?: number
}

const texts = listOf(text)
const identity = value(`one of ${IDENTITIES.join(', ')}`, (found) =>
  IDENTITIES.some((known) => known === found),
)
const identities = either(identity, listOf(identity))
const scopes = recordOf(either(text, group({ description: text, implies: texts }, 'description')))
const tools = recordOf(texts)

const client: { readonly [K in keyof StaticClientOptions]-?: Shape } = {
  client_id: text,
  client_name: text,
  client_secret: text,
  redirect_uris: texts,
  token_endpoint_auth_method: text,
  jwks: built('a JSON Web Key Set', 'keys'),
  jwks_uri: text,
  scope: text,
}

const resource: { readonly [K in keyof ResourceSetting]-?: Shape } = {
  resource: text,
  to: text,
  name: text,
  scopes: texts,
  tools,
  required: flag,
  identity: identities,
}

const upstream: { readonly [K in keyof UpstreamSetting]-?: Shape } = {
  name: text,
  client_id: text,
  client_secret: text,
  scope: texts,
}

const timeouts: { readonly [K in keyof Timeouts]-?: Shape } = {
  connect: number,
  headers: number,
  idle: number,
  stream: number,
  stall: number,
}

const allow: { readonly [K in keyof AllowOptions]-?: Shape } = {
  emails: texts,
  domains: texts,
  subjects: texts,
}

const MEMBERS: { readonly [K in keyof ConfigFile]-?: Shape } = {
  to: text,
  issuer: text,
  resource: text,
  resources: listOf(group(resource, 'resource', 'to')),
  name: text,
  upstream: either(text, built('an upstream', 'type', 'id'), group(upstream)),
  keys: either(text, texts),
  store: either(text, built('a store', 'find', 'insert', 'replace', 'take')),
  port: value('a port from 0 to 65535', isPort),
  host: text,
  identity: identities,
  required: flag,
  scopes,
  defaultScope: texts,
  tools,
  allow: either(code, group(allow)),
  clients: listOf(group(client, 'client_id', 'redirect_uris')),
  resourceServers: listOf(
    group(
      { client_id: text, client_secret: text, resource: text },
      'client_id',
      'client_secret',
      'resource',
    ),
  ),
  lifetimes: group({
    accessToken: number,
    refreshTokenIdle: number,
    refreshTokenAbsolute: number,
    code: number,
    signIn: number,
    replayWindow: number,
  } satisfies { readonly [K in keyof Required<Options>['lifetimes']]-?: Shape }),
  registration: group({
    dynamic: flag,
    unusedLifetime: number,
    maxPerHour: number,
    privateUseSchemes: flag,
    redirectHosts: texts,
  } satisfies { readonly [K in keyof Required<Options>['registration']]-?: Shape }),
  clientIdMetadataDocuments: group({
    enabled: flag,
    minFresh: number,
    maxFresh: number,
    maxStale: number,
    fetchesPerHost: number,
    fetchesTotal: number,
    dangerouslyAllowPrivateAddresses: flag,
  } satisfies { readonly [K in keyof Required<Options>['clientIdMetadataDocuments']]-?: Shape }),
  trustedProxies: texts,
  rateLimits: group({
    authorize: number,
    token: number,
    register: number,
    introspect: number,
  } satisfies { readonly [K in keyof Required<Options>['rateLimits']]-?: Shape }),
  allowedOrigins: texts,
  maxGrantsPerClient: number,
  onEvent: either(code, listOf(code)),
  timeouts: group(timeouts),
  recheck: number,
  callsPerUser: number,
  passHeaders: texts,
  drain: number,
  dangerouslyAllowHttp: flag,
}

export const CONFIG_FILE: Shape = group(MEMBERS)

function isPort(found: unknown): boolean {
  return typeof found === 'number' && Number.isInteger(found) && found >= 0 && found <= 65_535
}
