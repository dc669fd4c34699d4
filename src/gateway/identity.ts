/**
 * How a backend learns who calls. Never by the client's own token.
 *
 * `headers` is for a backend that only the gateway can reach, `assertion` for one that wants proof,
 * `upstream_token` for one that acts at the upstream as the user. They may be combined.
 */
import type { AuthInfo } from '../guard/verifier.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { FlatHeaders } from './request_headers.ts'

/** The choices, in the order of the manual. */
export const IDENTITIES = ['none', 'headers', 'assertion', 'upstream_token'] as const

export type Identity = (typeof IDENTITIES)[number]

/** What the gateway needs of the server to speak for a user. */
export interface IdentitySource {
  /** @throws OAuthError */
  upstreamToken(authInfo: AuthInfo): Promise<string>
  assertIdentity(authInfo: AuthInfo, audience: string): Promise<string>
}

const MAX_NAME = 200
const MAX_VALUE = 4096

/**
 * The headers that tell `audience` (the backend's URL) who calls.
 * @throws OAuthError when the upstream has no token for this user: there is no other to fall back to.
 */
export async function identityHeaders(
  source: IdentitySource,
  choice: readonly Identity[],
  authInfo: AuthInfo,
  audience: string,
): Promise<FlatHeaders> {
  const headers: string[] = []
  if (choice.includes('headers')) headers.push(...userHeaders(authInfo))
  if (choice.includes('assertion')) {
    headers.push('x-mcp-identity', await source.assertIdentity(authInfo, audience))
  }
  if (choice.includes('upstream_token')) {
    headers.push('authorization', `Bearer ${await source.upstreamToken(authInfo)}`)
  }
  return headers
}

function userHeaders({ clientId, scopes, extra }: AuthInfo): FlatHeaders {
  const { user } = extra
  const told: (readonly [string, string | undefined])[] = [
    ['x-mcp-user', extra.subject],
    ['x-mcp-user-issuer', user.issuer],
    ['x-mcp-user-sub', user.sub],
    // An address that the upstream has not verified is what the user typed.
    ['x-mcp-user-email', user.email_verified ? user.email : undefined],
    ['x-mcp-user-name', user.name === undefined ? undefined : cut(user.name)],
    ['x-mcp-client', clientId],
    ['x-mcp-scope', scopes.join(' ')],
  ]
  return told.flatMap(([name, value]) =>
    value === undefined ? [] : [name, name === 'x-mcp-scope' ? value : encodeHeader(value)],
  )
}

function cut(name: string): string {
  return [...name].slice(0, MAX_NAME).join('')
}

/**
 * Percent-encoded UTF-8 wherever a byte is not plain: no name can end a line and begin another header.
 * `decodeURIComponent` gives back the text.
 * @throws OAuthError `server_error` for what no header can carry; to cut an identifier would make another.
 */
export function encodeHeader(text: string): string {
  // Through UTF-8 and back, for a lone surrogate has no percent form.
  const wellFormed = Buffer.from(text).toString('utf8')
  const encoded = encodeURI(wellFormed).replaceAll(',', '%2C')
  if (encoded.length > MAX_VALUE) {
    throw new OAuthError('server_error', 'this user cannot be told to the MCP server', {
      reason: 'a claim of the user is longer than a header may be',
    })
  }
  return encoded
}
