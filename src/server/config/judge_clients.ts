/**
 * Judges `clients` and `resourceServers`: those who were registered by hand.
 */
import { sha256 } from '../../crypto/hash.ts'
import { judgeJwks } from '../../protocol/client_jwks.ts'
import { judgeRedirectUri } from '../../protocol/redirect_uri.ts'
import { canonicalResource } from '../../protocol/resource.ts'
import type { TokenEndpointAuthMethod } from '../../stores/records.ts'
import type { Resource, ResourceServer, StaticClient } from './context.ts'
import type { Fault } from './fault.ts'
import type { Options, StaticClientOptions } from './options.ts'

// Secrets are hashed once, so they must be random: 32 characters, as `openssl rand -hex 16` gives.
const MIN_SECRET = 32
const METHODS: readonly TokenEndpointAuthMethod[] = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
]

export function judgeClients(
  { clients = [] }: Options,
  fault: Fault,
): ReadonlyMap<string, StaticClient> {
  judgeIds('clients', clients, fault)
  return new Map(clients.map((client) => [client.client_id, judgeClient(client, fault)]))
}

function judgeClient(client: StaticClientOptions, fault: Fault): StaticClient {
  const option = `clients: ${JSON.stringify(client.client_id)}`
  const method = client.token_endpoint_auth_method ?? defaultMethod(client)
  judgeMethod(client, method, option, fault)
  if (client.redirect_uris.length === 0) fault(option, 'needs at least one redirect_uri')
  for (const uri of client.redirect_uris) {
    const judged = judgeRedirectUri(uri)
    if ('fault' in judged) fault(option, `has a redirect_uri that ${judged.fault}`)
  }
  return {
    client_id: client.client_id,
    metadata: {
      client_name: client.client_name,
      client_uri: undefined,
      redirect_uris: client.redirect_uris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: method,
      application_type: undefined,
      scope: client.scope,
      jwks: client.jwks,
      jwks_uri: client.jwks_uri,
      software_id: undefined,
      software_version: undefined,
    },
    client_secret_hash:
      client.client_secret === undefined ? undefined : sha256(client.client_secret),
  }
}

function defaultMethod({ client_secret, jwks, jwks_uri }: StaticClientOptions) {
  if (client_secret !== undefined) return 'client_secret_basic'
  return jwks !== undefined || jwks_uri !== undefined ? 'private_key_jwt' : 'none'
}

function judgeMethod(
  { client_secret, jwks, jwks_uri }: StaticClientOptions,
  method: TokenEndpointAuthMethod,
  option: string,
  fault: Fault,
): void {
  if (!METHODS.includes(method)) {
    fault(option, `has a token_endpoint_auth_method that is none of ${METHODS.join(', ')}`)
  }
  const needsSecret = method.startsWith('client_secret_')
  if (needsSecret && client_secret === undefined)
    fault(option, `needs a client_secret for ${method}`)
  if (!needsSecret && client_secret !== undefined) {
    fault(option, `has a client_secret, which ${method} does not use`)
  }
  judgeSecret(client_secret, option, fault)
  const hasKeys = jwks !== undefined || jwks_uri !== undefined
  if (method === 'private_key_jwt' && !hasKeys) fault(option, 'needs jwks or jwks_uri')
  const judged = jwks === undefined ? undefined : judgeJwks(jwks)
  if (judged !== undefined && 'fault' in judged) fault(option, `has a jwks that ${judged.fault}`)
  if (jwks !== undefined && jwks_uri !== undefined) {
    fault(option, 'has jwks and jwks_uri; RFC 7591 section 2 allows one of them')
  }
}

export function judgeResourceServers(
  { resourceServers = [] }: Options,
  resources: readonly Resource[],
  fault: Fault,
): ReadonlyMap<string, ResourceServer> {
  judgeIds('resourceServers', resourceServers, fault)
  return new Map(
    resourceServers.map(({ client_id, client_secret, resource }) => {
      const option = `resourceServers: ${JSON.stringify(client_id)}`
      const canonical = canonicalResource(resource) ?? resource
      judgeSecret(client_secret, option, fault)
      if (!resources.some((known) => known.resource === canonical)) {
        fault(option, `names the resource ${JSON.stringify(resource)}, which is not protected here`)
      }
      const client_secret_hash = sha256(client_secret)
      return [client_id, { client_id, client_secret_hash, resource: canonical }]
    }),
  )
}

function judgeIds(
  option: string,
  list: readonly { readonly client_id: string }[],
  fault: Fault,
): void {
  const ids = list.map(({ client_id }) => client_id)
  if (ids.some((id) => typeof id !== 'string' || !/^[\x21-\x7e]{1,2000}$/.test(id))) {
    fault(option, 'has a client_id that is empty or not plain ASCII without blanks')
  }
  if (new Set(ids).size !== ids.length) fault(option, 'has the same client_id twice')
}

function judgeSecret(secret: string | undefined, option: string, fault: Fault): void {
  if (secret !== undefined && secret.length < MIN_SECRET) {
    fault(option, 'has a client_secret shorter than 32 characters; make one at random')
  }
}
