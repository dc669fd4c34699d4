/**
 * The redirect URIs that a client may have: RFC 7591 §2 `redirect_uris`, and what the operator allows.
 */
import { OAuthError } from './errors.ts'
import { judgeRedirectUri } from './redirect_uri.ts'

/** What the operator allows beside the rules of the RFCs. */
export interface ClientPolicy {
  readonly privateUseSchemes: boolean
  /** Hosts that https redirects may go to; any when undefined. */
  readonly redirectHosts: readonly string[] | undefined
  /** Whether `jwks_uri` may be plain http: tests and closed networks only. */
  readonly allowHttp: boolean
}

type ApplicationType = 'web' | 'native' | undefined

// VS Code registers four; ten is room enough, and a bound on what one request can store.
const MAX_REDIRECT_URIS = 10

/** The usable ones of `uris`, each once. @throws OAuthError `invalid_redirect_uri` when none is usable. */
export function judgeRedirectUris(
  uris: readonly string[],
  application_type: ApplicationType,
  policy: ClientPolicy,
): readonly string[] {
  // OAuth 2.1 §2.3.1: the code grant needs a registered redirect URI.
  if (uris.length === 0) throw refused('redirect_uris needs at least one URI')
  if (uris.length > MAX_REDIRECT_URIS) {
    throw refused(`redirect_uris has more than ${MAX_REDIRECT_URIS} URIs`)
  }
  // Some clients register one URI for each place they run at. One that cannot be used here must not
  // cost them the others: RFC 7591 §3.2.1 lets the server answer with what it registered.
  const kept = allowedRedirectUris(uris, application_type, policy)
  if (kept.length > 0) return [...new Set(kept)]
  throw refused(`a redirect URI ${redirectFault(uris[0] ?? '', application_type, policy)}`)
}

/** Those of `uris` that may be used now: the policy may have been tightened since they were registered. */
export function allowedRedirectUris(
  uris: readonly string[],
  application_type: ApplicationType,
  policy: ClientPolicy,
): readonly string[] {
  return uris.filter((uri) => redirectFault(uri, application_type, policy) === undefined)
}

function redirectFault(
  uri: string,
  application_type: ApplicationType,
  { privateUseSchemes, redirectHosts }: ClientPolicy,
): string | undefined {
  const judged = judgeRedirectUri(uri)
  if ('fault' in judged) return judged.fault
  // OpenID Connect Registration §2: https only for a web client. Its default is `web`, but MCP clients
  // that say nothing are mostly native ones, so here only who says `web` is held to it.
  if (application_type === 'web' && judged.kind !== 'https') {
    return 'is not https, which application_type web requires'
  }
  if (judged.kind === 'private_use' && !privateUseSchemes) return 'has a private-use scheme'
  if (judged.kind === 'https' && redirectHosts?.includes(new URL(uri).hostname) === false) {
    return 'goes to a host that this server does not allow'
  }
  return undefined
}

function refused(description: string): OAuthError {
  return new OAuthError('invalid_redirect_uri', description)
}
