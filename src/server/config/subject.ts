/**
 * Who a user is to this server: the upstream's issuer and its `sub`, and nothing that can change.
 *
 * Names and addresses change hands (OpenID Connect Core §5.7). A hash, because an identifier that tools
 * and backends get should be of one shape whatever upstreams put into theirs.
 */
import { sha256 } from '../../crypto/hash.ts'
import type { User } from '../../stores/records.ts'

/** 43 characters of base64url, the same at every sign-in. */
export function subjectOf({ issuer, sub }: Pick<User, 'issuer' | 'sub'>): string {
  return sha256(JSON.stringify([issuer, sub]))
}
