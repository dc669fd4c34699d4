/**
 * Authorization server metadata: RFC 8414 §2, and what MCP and its clients look for in it.
 *
 * It says what is switched on, no more and no less, and depends on nothing but the configuration: not on
 * a header, not on a host name.
 */
import type { HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import { OFFLINE_ACCESS } from '../../protocol/authorization_request.ts'
import { SIGNING_ALGORITHMS } from '../../crypto/jwt.ts'
import type { Config, Context } from '../config/context.ts'
import { GRANT_TYPES } from '../grants/grant_types.ts'

export function serverMetadata({ config }: Context): Promise<HttpResponse> {
  // RFC 8414 §3: cacheable; a shared cache may keep it, as nothing in it is anybody's.
  const headers = { 'cache-control': 'public, max-age=3600' }
  return Promise.resolve(json(200, metadataOf(config), headers))
}

function metadataOf(config: Config): object {
  const { issuer, registration, metadataDocuments, resourceServers, scopes } = config
  const client = authentication([
    // CIMD §5: clients take a server for one that knows them only if `none` is listed too.
    'none',
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
  ])
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    ...(registration.dynamic ? { registration_endpoint: `${issuer}/register` } : {}),
    // OpenID Connect Core §11: a refresh token is for whoever asks for offline access, or says it can refresh.
    scopes_supported: [...scopes.keys(), OFFLINE_ACCESS],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...GRANT_TYPES.keys()],
    ...named('token_endpoint', client),
    revocation_endpoint: `${issuer}/revoke`,
    ...named('revocation_endpoint', client),
    ...(resourceServers.size > 0
      ? {
          introspection_endpoint: `${issuer}/introspect`,
          ...named(
            'introspection_endpoint',
            authentication(['client_secret_basic', 'client_secret_post']),
          ),
        }
      : {}),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: metadataDocuments.enabled,
    // RFC 8707 has no member of its own; OpenID Connect Discovery §3 has one for each way not to ask.
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
}

interface Authentication {
  readonly auth_methods_supported: readonly string[]
  readonly auth_signing_alg_values_supported?: readonly string[]
}

function authentication(methods: readonly string[]): Authentication {
  return {
    auth_methods_supported: methods,
    ...(methods.includes('private_key_jwt')
      ? { auth_signing_alg_values_supported: SIGNING_ALGORITHMS }
      : {}),
  }
}

/** RFC 8414 §2 has the same two members for each endpoint that clients authenticate at. */
function named(endpoint: string, members: Authentication): object {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [`${endpoint}_${name}`, value]),
  )
}
