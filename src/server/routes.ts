/**
 * Every path of the server and what answers there. Paths are compared to the letter: none is decoded,
 * cut or completed, so there is one spelling of each.
 */
import { metadataUrl } from '../guard/protected_resource_metadata.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Config, Context } from './config/context.ts'
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

/** Who is on the other side: a person with a browser, a program with credentials, or anybody. */
export type Channel = 'front' | 'back' | 'public'

export interface Route {
  readonly channel: Channel
  readonly method: 'GET' | 'POST'
  readonly endpoint: Endpoint
}

/** The routes by path. */
export function createRoutes(config: Config): ReadonlyMap<string, Route> {
  const { basePath, registration: registering, resourceServers } = config
  const get = (channel: Channel, endpoint: Endpoint): Route => ({
    channel,
    method: 'GET',
    endpoint,
  })
  const post = (channel: Channel, endpoint: Endpoint): Route => ({
    channel,
    method: 'POST',
    endpoint,
  })
  const authorize = get('front', authorization)
  const exchange = post('back', token)
  const register: [string, Route][] = registering.dynamic
    ? [['/register', post('back', registration)]]
    : []
  const clientFacing: [string, Route][] = [
    ['/authorize', authorize],
    ['/token', exchange],
    ...register,
  ]
  return new Map([
    // MCP 2025-03-26, Fallbacks for Servers without Metadata Discovery: clients guess these at the origin.
    ...clientFacing,
    ...under(basePath, [
      ...clientFacing,
      ['/consent', post('front', consent)],
      ['/callback', get('front', callback)],
      ['/revoke', post('back', revocation)],
      ...(resourceServers.size > 0
        ? ([['/introspect', post('back', introspection)]] as [string, Route][])
        : []),
      ['/jwks', get('public', jwks)],
    ]),
    ...serverDocuments(basePath).map((path) => [path, get('public', serverMetadata)] as const),
    ...resourceDocuments(config),
  ])
}

function under(basePath: string, routes: readonly [string, Route][]): readonly [string, Route][] {
  return routes.map(([path, route]) => [basePath + path, route])
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
function resourceDocuments({ resources }: Config): readonly [string, Route][] {
  const documents = resources.map(({ resource }): [string, Route] => [
    new URL(metadataUrl(resource)).pathname,
    { channel: 'public', method: 'GET', endpoint: resourceMetadata(resource) },
  ])
  // With several resources the root would name one of them to clients of another.
  const [only, ...others] = documents
  if (only === undefined || others.length > 0) return documents
  return [['/.well-known/oauth-protected-resource', only[1]], only]
}
