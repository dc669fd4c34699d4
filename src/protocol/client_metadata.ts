/**
 * Client metadata: RFC 7591 §2, as it comes in a registration or in a Client ID Metadata Document.
 *
 * Clients in use send nulls, grants this server does not know, and good redirect URIs beside bad ones.
 * So a member of the wrong type is refused, and a value this server cannot use is left out as long as
 * a usable one remains (RFC 7591 §2: the server may replace or leave out what the client asked for).
 */
import * as v from 'valibot'
import { judgeJwks } from './client_jwks.ts'
import { judgeRedirectUris, type ClientPolicy } from './client_redirects.ts'
import { OAuthError } from './errors.ts'
import { parseScope } from './scope.ts'

/** Client metadata as this server keeps it: RFC 7591 §2, unknown members left out. */
export interface ClientMetadata {
  readonly client_name: string | undefined
  readonly client_uri: string | undefined
  readonly redirect_uris: readonly string[]
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod
  readonly application_type: 'web' | 'native' | undefined
  readonly scope: string | undefined
  readonly jwks: { readonly keys: readonly object[] } | undefined
  readonly jwks_uri: string | undefined
  readonly software_id: string | undefined
  readonly software_version: string | undefined
}

export type TokenEndpointAuthMethod =
  'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

export const SUPPORTED_GRANT_TYPES: readonly string[] = ['authorization_code', 'refresh_token']
export const SUPPORTED_RESPONSE_TYPES: readonly string[] = ['code']
export const SUPPORTED_AUTH_METHODS: readonly TokenEndpointAuthMethod[] = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
]
// Strongest first. A document cannot share a secret with anybody: CIMD §4.1.
const DOCUMENT_AUTH_METHODS: readonly TokenEndpointAuthMethod[] = ['private_key_jwt', 'none']

const MAX_NAME = 100

const text = v.pipe(v.string(), v.maxLength(2000))
const texts = v.pipe(v.array(v.string()), v.maxLength(100))
const label = v.pipe(v.string(), v.maxLength(200))
const METADATA = v.object({
  redirect_uris: v.optional(v.array(v.string())),
  token_endpoint_auth_method: v.optional(text),
  token_endpoint_auth_methods_supported: v.optional(texts),
  grant_types: v.optional(texts),
  response_types: v.optional(texts),
  client_name: v.optional(v.string()),
  client_uri: v.optional(v.string()),
  logo_uri: v.optional(v.string()),
  tos_uri: v.optional(v.string()),
  policy_uri: v.optional(v.string()),
  scope: v.optional(v.string()),
  contacts: v.optional(texts),
  jwks_uri: v.optional(text),
  jwks: v.optional(v.unknown()),
  software_id: v.optional(label),
  software_version: v.optional(label),
  application_type: v.optional(v.picklist(['web', 'native'])),
})
type Asked = v.InferOutput<typeof METADATA>
type Members = Readonly<{ [name: string]: unknown }>

/**
 * The metadata of a registration request: RFC 7591 §2 and §3.1.
 * @throws OAuthError `invalid_client_metadata`, `invalid_redirect_uri`, `invalid_software_statement`
 */
export function parseRegistration(value: unknown, policy: ClientPolicy): ClientMetadata {
  const members = membersOf(value)
  const asked = parseMembers(members)
  // RFC 7591 §2: `client_secret_basic` where nothing is said.
  const method = asked.token_endpoint_auth_method ?? 'client_secret_basic'
  const known = SUPPORTED_AUTH_METHODS.find((one) => one === method)
  if (known === undefined) {
    throw invalid(`token_endpoint_auth_method must be one of ${SUPPORTED_AUTH_METHODS.join(', ')}`)
  }
  return judge(asked, known, policy)
}

/**
 * The metadata in the document at `client_id`: CIMD §4.1 and MCP, Client ID Metadata Documents.
 * @throws OAuthError `invalid_client_metadata`, `invalid_redirect_uri`, `invalid_software_statement`
 */
export function parseMetadataDocument(
  value: unknown,
  client_id: string,
  policy: ClientPolicy,
): ClientMetadata {
  const members = membersOf(value)
  // CIMD §4.1: the document names its own address, compared as text.
  if (members['client_id'] !== client_id) throw invalid('client_id is not the URL of the document')
  // CIMD §4.1: no secret can be shared with everybody who reads the document.
  if ('client_secret' in members || 'client_secret_expires_at' in members) {
    throw invalid('a document must not hold a client secret')
  }
  const asked = parseMembers(members)
  // MCP, Client ID Metadata Documents: client_id, client_name and redirect_uris are required.
  if (asked.client_name === undefined) throw invalid('client_name is missing')
  return judge(asked, negotiateAuthMethod(asked), policy)
}

/**
 * How the client of a document authenticates. The singular member is its word. Where that is absent or
 * unknown here, the strongest of its list counts; a client that has keys is never taken for a public one.
 */
function negotiateAuthMethod(asked: Asked): TokenEndpointAuthMethod {
  const singular = asked.token_endpoint_auth_method
  const plural = asked.token_endpoint_auth_methods_supported
  // CIMD §4.1: the method MUST NOT be one of a shared secret, whatever else the client could do.
  if (singular?.startsWith('client_secret')) {
    throw invalid('a document cannot use an authentication method with a shared secret')
  }
  if (singular === undefined && plural === undefined) return 'none'
  const method =
    DOCUMENT_AUTH_METHODS.find((one) => one === singular) ??
    DOCUMENT_AUTH_METHODS.find((one) => plural?.includes(one))
  if (method === undefined) {
    throw invalid('token_endpoint_auth_method must be none or private_key_jwt')
  }
  return method
}

/** The members of the JSON object. A null stands for an absent member, as some clients write it. */
function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('the metadata must be a JSON object')
  }
  // Without a prototype, a member named `__proto__` is a member like any other, and nobody reads it.
  const members = Object.create(null) as { [name: string]: unknown }
  for (const [name, member] of Object.entries(value)) {
    if (member !== null) members[name] = member
  }
  return members
}

function parseMembers(members: Members): Asked {
  const parsed = v.safeParse(METADATA, members)
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]) ?? 'the metadata'
    throw invalid(`${path} does not have the type or size that it must have`)
  }
  // RFC 7591 §2.3: no issuer of statements is trusted here, so one cannot count, and must not be taken for one that does.
  if ('software_statement' in members) {
    throw new OAuthError('invalid_software_statement', 'software statements are not accepted here')
  }
  return parsed.output
}

function judge(
  asked: Asked,
  method: TokenEndpointAuthMethod,
  policy: ClientPolicy,
): ClientMetadata {
  // The order of members is fixed: equal metadata is equal text, by which registrations share an id.
  return {
    client_name: cleanName(asked.client_name),
    client_uri: webUrl(asked.client_uri),
    redirect_uris: judgeRedirectUris(asked.redirect_uris ?? [], asked.application_type, policy),
    grant_types: judgeGrantTypes(asked.grant_types),
    response_types: judgeResponseTypes(asked.response_types),
    token_endpoint_auth_method: method,
    application_type: asked.application_type,
    scope: judgeScope(asked.scope),
    ...judgeKeys(asked, method, policy),
    software_id: asked.software_id,
    software_version: asked.software_version,
  }
}

/** RFC 7591 §2: `authorization_code` where nothing is said. */
function judgeGrantTypes(asked: readonly string[] = ['authorization_code']): readonly string[] {
  const kept = SUPPORTED_GRANT_TYPES.filter((type) => asked.includes(type))
  if (!kept.includes('authorization_code')) {
    throw invalid('grant_types must have authorization_code among them')
  }
  return kept
}

/** RFC 7591 §2: `code` where nothing is said. */
function judgeResponseTypes(asked: readonly string[] = ['code']): readonly string[] {
  const kept = SUPPORTED_RESPONSE_TYPES.filter((type) => asked.includes(type))
  if (kept.length === 0) throw invalid('response_types must have code among them')
  return kept
}

function judgeScope(scope: string | undefined): string | undefined {
  try {
    return parseScope(scope)?.join(' ')
  } catch {
    throw invalid('scope is not a list of scopes (RFC 6749 section 3.3)')
  }
}

function judgeKeys(
  { jwks, jwks_uri }: Asked,
  method: TokenEndpointAuthMethod,
  { allowHttp }: ClientPolicy,
): Pick<ClientMetadata, 'jwks' | 'jwks_uri'> {
  // RFC 7591 §2: jwks and jwks_uri MUST NOT both be present.
  if (jwks !== undefined && jwks_uri !== undefined)
    throw invalid('jwks and jwks_uri exclude each other')
  if (method === 'private_key_jwt' && jwks === undefined && jwks_uri === undefined) {
    throw invalid('private_key_jwt needs jwks or jwks_uri')
  }
  if (jwks_uri !== undefined && !isKeysUrl(jwks_uri, allowHttp))
    throw invalid('jwks_uri is not an https URL')
  const keys = jwks === undefined ? undefined : judgeJwks(jwks)
  if (keys !== undefined && 'fault' in keys) throw invalid(`jwks ${keys.fault}`)
  return { jwks: keys, jwks_uri }
}

function isKeysUrl(url: string, allowHttp: boolean): boolean {
  if (!/^https?:\/\/[^\s\\#@]+$/i.test(url) || !URL.canParse(url)) return false
  return allowHttp || /^https:/i.test(url)
}

/** A link for people. What is no web address is left out: RFC 7591 §5 warns of what such links can be. */
function webUrl(url: string | undefined): string | undefined {
  if (url === undefined || url.length > 2000) return undefined
  return /^https?:\/\/[^\s\\@]+$/i.test(url) && URL.canParse(url) ? url : undefined
}

/** A name on one line, without characters that hide, reorder or control, and of a length to show. */
function cleanName(name: string | undefined): string | undefined {
  const clean = name
    ?.slice(0, 4 * MAX_NAME)
    .replace(/[\s\p{Z}]+/gu, ' ')
    .replace(/[\p{C}\p{Default_Ignorable_Code_Point}]/gu, '')
    .trim()
  return clean === undefined || clean === '' ? undefined : [...clean].slice(0, MAX_NAME).join('')
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description)
}
