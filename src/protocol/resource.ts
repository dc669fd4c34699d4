/**
 * Resource indicators: RFC 8707, and the canonical server URI of the MCP authorization chapter.
 *
 * One resource has one canonical spelling, which is the audience of its tokens. Clients spell it in
 * more ways than one: with capitals in the host, or with a slash behind a bare origin.
 */
import { OAuthError } from './errors.ts'

/** The spelling under which two texts name the same resource; undefined when `text` can name none. */
export function canonicalResource(text: string): string | undefined {
  // RFC 8707 §2: an absolute URI without a fragment, the empty one included. `new URL` would repair
  // blanks, control characters and backslashes, so what it would repair is refused first.
  if (!/^https?:\/\/[^\s\\#@]+$/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  // MCP, Canonical Server URI: without the slash where the path is empty, for interoperability.
  if (url.pathname === '/' && url.search === '') return url.origin
  return url.href
}

/**
 * Which of `resources` (canonical) the values of the `resource` parameter name; undefined when there is no value.
 * @throws OAuthError `invalid_target` when one is malformed or unknown, or when they name more than one resource.
 */
export function matchResource(
  asked: readonly string[],
  resources: readonly string[],
): string | undefined {
  const found = new Set(asked.map((text) => matchOne(text, resources)))
  // RFC 8707 §2.2: a token for several resources would be good for each of them at the other's hands.
  if (found.size > 1)
    throw new OAuthError('invalid_target', 'a token has one resource; ask for each by itself')
  return [...found][0]
}

function matchOne(text: string, resources: readonly string[]): string {
  const canonical = canonicalResource(text)
  if (canonical === undefined) {
    throw new OAuthError(
      'invalid_target',
      'resource must be an absolute http(s) URI without a fragment',
    )
  }
  const exact = resources.find((resource) => resource === canonical)
  if (exact !== undefined) return exact
  // A client that found a root document asks for the bare origin. With one resource there it can only mean that one.
  const there = resources.filter((resource) => new URL(resource).origin === canonical)
  if (there.length === 1 && there[0] !== undefined) return there[0]
  throw new OAuthError('invalid_target', 'this server issues no tokens for that resource')
}
