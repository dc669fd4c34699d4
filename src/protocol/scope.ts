/**
 * Scopes: RFC 6749 §3.3.
 *
 * A scope is a list of case-sensitive tokens without order. Inside they are arrays without repetition;
 * on the wire they are one text, parted by spaces.
 */
import { OAuthError } from './errors.ts'

// RFC 6749 appendix A.4: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const MAX_LENGTH = 4096
const MAX_TOKENS = 200

/** Which broader scope implies which narrower ones, each listed in full. */
export type ScopeHierarchy = ReadonlyMap<string, readonly string[]>

/** Whether `token` can be one scope. */
export function isScopeToken(token: string): boolean {
  return SCOPE_TOKEN.test(token)
}

/**
 * The scopes in `text`, each once; undefined stays undefined. Blanks beyond one are forgiven.
 * @throws OAuthError `invalid_scope` for what RFC 6749 appendix A.4 does not allow, or more than 200 scopes.
 */
export function parseScope(text: string): readonly string[]
export function parseScope(text: string | undefined): readonly string[] | undefined
export function parseScope(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  if (text.length > MAX_LENGTH) throw new OAuthError('invalid_scope', 'scope is too long')
  const tokens = text.split(' ').filter((token) => token !== '')
  if (tokens.length > MAX_TOKENS) throw new OAuthError('invalid_scope', 'scope has too many values')
  if (!tokens.every(isScopeToken)) {
    throw new OAuthError(
      'invalid_scope',
      'scope has a character that RFC 6749 section 3.3 does not allow',
    )
  }
  return [...new Set(tokens)]
}

/** The wire form. */
export function formatScope(scope: readonly string[]): string {
  return scope.join(' ')
}

/** The members of `asked` that are in `allowed`, in the order asked. */
export function trimScope(asked: readonly string[], allowed: readonly string[]): readonly string[] {
  return asked.filter((token) => allowed.includes(token))
}

/** Every scope that `granted` amounts to, the implied ones included. */
export function expandScope(
  granted: readonly string[],
  hierarchy: ScopeHierarchy,
): readonly string[] {
  if (hierarchy.size === 0) return granted
  return [...new Set(granted.flatMap((token) => [token, ...(hierarchy.get(token) ?? [])]))]
}

/** Whether `granted`, with what it implies, covers every member of `needed`. */
export function coversScope(
  granted: readonly string[],
  needed: readonly string[],
  hierarchy: ScopeHierarchy,
): boolean {
  if (needed.every((token) => granted.includes(token))) return true
  const expanded = expandScope(granted, hierarchy)
  return needed.every((token) => expanded.includes(token))
}
