/**
 * Resource indicators: RFC 8707, and the canonical server URI of the MCP authorization chapter.
 *
 * One resource has one canonical spelling, which is the audience of its tokens. Clients spell it in
 * more ways than one: with capitals in the host, with the scheme's own port, or with a slash behind a
 * bare origin. Another slash, case or escape in the path is another resource.
 */
import { OAuthError } from './errors.ts'

// RFC 3986 §3: scheme, host, port, and the rest. RFC 8707 §2 forbids the fragment, an empty one too.
const SPELLING =
  /^https?:\/\/([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?([/?](?:[a-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9a-f]{2})*)?$/i

const MAX_LENGTH = 2000

/** The spelling under which two texts name the same resource; undefined when `text` can name none. */
export function canonicalResource(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [, host = '', rest = ''] = SPELLING.exec(text) ?? []
  if (host === '' || !URL.canParse(text)) return undefined
  const url = new URL(text)
  // What a parser respells (127.1, dot segments), others may read differently: it names nothing here.
  const path = rest.startsWith('/') ? rest : `/${rest}`
  if (url.hostname !== host.toLowerCase() || url.pathname + url.search !== path) return undefined
  // MCP, Canonical Server URI: without the slash where the path is empty, for interoperability.
  return path === '/' ? url.origin : url.href
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
  if (resources.includes(text)) return text
  const canonical = canonicalResource(text)
  if (canonical === undefined) {
    throw new OAuthError(
      'invalid_target',
      'resource must be an absolute http(s) URI without a fragment',
    )
  }
  if (resources.includes(canonical)) return canonical
  // A client that found a root document asks for the bare origin. With one resource there it can only mean that one.
  const there = resources.filter((resource) => new URL(resource).origin === canonical)
  if (there.length === 1 && there[0] !== undefined) return there[0]
  throw new OAuthError('invalid_target', 'this server issues no tokens for that resource')
}
