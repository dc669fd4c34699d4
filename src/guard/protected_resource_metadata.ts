/**
 * Protected resource metadata: RFC 9728, as the MCP authorization chapter narrows it.
 *
 * One document for each resource, under its own origin, naming one authorization server. Nothing in it
 * comes from the request.
 */
import { withoutOfflineAccess } from './challenge_scope.ts'
import type { GuardSettings } from './settings.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** RFC 9728 §2. */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly resource_name: string
}

/** Where a resource's document is. RFC 9728 §3.1: inserted between host and path, query kept. */
export function metadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`
}

/** The document of `resource`, which is canonical. @throws RangeError when there is no such resource. */
export function protectedResourceMetadata(
  settings: Pick<GuardSettings, 'issuer' | 'resources'>,
  resource: string,
): ProtectedResourceMetadata {
  const found = settings.resources.find((known) => known.resource === resource)
  if (found === undefined) throw new RangeError('there is no such resource')
  const scopes = withoutOfflineAccess(found.scopes)
  return {
    // RFC 9728 §3.3: identical to what the client asked about, or it must not use the document.
    resource: found.resource,
    // The issuer to the letter: RFC 8414 §3.3 compares it so.
    authorization_servers: [settings.issuer],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    // OAuth 2.1 §5.1 and MCP, Token Requirements: the header, never the query, and no form.
    bearer_methods_supported: ['header'],
    resource_name: found.name,
  }
}
