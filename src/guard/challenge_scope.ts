/**
 * Which scopes a challenge names.
 */
import type { ProtectedResource } from './settings.ts'

/** MCP, Refresh Tokens: `offline_access` is nothing that a resource requires, so none asks for it. */
export function withoutOfflineAccess(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => scope !== 'offline_access')
}

/**
 * What a client must ask for so that this operation passes and none that passed before is lost.
 *
 * MCP, Scope Challenge Handling: everything the operation needs in one challenge; what was granted
 * before need not be named. It is named all the same, as there are clients that ask for what the
 * challenge says and nothing else.
 */
export function challengeScope(
  { scopes }: ProtectedResource,
  before: readonly string[],
  needed: readonly string[],
): readonly string[] {
  const kept = before.filter((scope) => scopes.includes(scope))
  return withoutOfflineAccess([...new Set([...kept, ...needed])])
}
