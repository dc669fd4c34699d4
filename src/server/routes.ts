/**
 * Every path of the server and what answers there. Paths are compared to the letter: none is decoded,
 * cut or completed, so there is one spelling of each.
 */
import { metadataUrl } from '../guard/protected_resource_metadata.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Config, Context } from './config/context.ts'
import type { Event } from './config/events.ts'
import { authorization } from './endpoints/authorization.ts'
import { callback } from './endpoints/callback.ts'
import { consent } from './endpoints/consent.ts'
import { introspection } from './endpoints/introspection.ts'
import { jwks } from './endpoints/jwks.ts'
import { registration } from './endpoints/registration.ts'
import { resourceMetadata } from './endpoints/resource_metadata.ts'
import { revocation } from './endpoints/revocation.ts'
import { serverMetadata } from './endpoints/server_metadata.ts'
import { token } from './endpoints/token.ts'

export type Endpoint = (context: Context, request: HttpRequest) => Promise<HttpResponse>

export interface Route {
  /** Who is on the other side: a person with a browser, a program with credentials, or anybody. */
  readonly channel: 'front' | 'back' | 'public'
  readonly method: 'GET' | 'POST'
  readonly endpoint: Endpoint
  /** The event that tells of a refusal here. */
  readonly refusal: Event['type']
}

type Entry = readonly [path: string, route: Route]

const AUTHORIZE: Entry = ['/authorize', page('GET', authorization)]
const TOKEN: Entry = ['/token', back(token, 'token_refused')]
const REGISTER: Entry = ['/register', back(registration, 'client_refused')]
const INTROSPECT: Entry = ['/introspect', back(introspection, 'introspection_refused')]
const OTHERS: readonly Entry[] = [
  ['/consent', page('POST', consent)],
  ['/callback', page('GET', callback)],
  ['/revoke', back(revocation, 'revocation_refused')],
  ['/jwks', document(jwks)],
]

/** The routes by path. */
export function createRoutes(config: Config): ReadonlyMap<string, Route> {
  const { basePath, registration: registering, resourceServers } = config
  const guessed = [AUTHORIZE, TOKEN, ...(registering.dynamic ? [REGISTER] : [])]
  const own = [...guessed, ...OTHERS, ...(resourceServers.size > 0 ? [INTROSPECT] : [])]
  return new Map([
    // MCP 2025-03-26, Fallbacks for Servers without Metadata Discovery: clients guess these at the origin.
    ...guessed,
    ...own.map(([path, route]): Entry => [basePath + path, route]),
    ...serverDocuments(basePath).map((path): Entry => [path, document(serverMetadata)]),
    ...resourceDocuments(config),
  ])
}

function page(method: Route['method'], endpoint: Endpoint): Route {
  return { channel: 'front', method, endpoint, refusal: 'authorization_refused' }
}

function back(endpoint: Endpoint, refusal: Event['type']): Route {
  return { channel: 'back', method: 'POST', endpoint, refusal }
}

function document(endpoint: Endpoint): Route {
  return { channel: 'public', method: 'GET', endpoint, refusal: 'request_refused' }
}

/** RFC 8414 §3.1 and §5, and OpenID Connect Discovery §4, in the order in which MCP clients ask. */
function serverDocuments(basePath: string): readonly string[] {
  return [
    `/.well-known/oauth-authorization-server${basePath}`,
    `/.well-known/openid-configuration${basePath}`,
    `${basePath}/.well-known/openid-configuration`,
  ]
}

/** RFC 9728 §3.1, and the root, where clients look that know nothing of paths. */
function resourceDocuments({ resources }: Config): readonly Entry[] {
  const documents = resources.map(({ resource }): Entry => {
    const path = new URL(metadataUrl(resource)).pathname
    return [path, document(resourceMetadata(resource))]
  })
  // With several resources the root would name one of them to clients of another.
  const [only, ...others] = documents
  if (only === undefined || others.length > 0) return documents
  return [['/.well-known/oauth-protected-resource', only[1]], only]
}
