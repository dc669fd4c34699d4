/**
 * The app's own login as the upstream: who is signed in, and where to send somebody who is not.
 */
import type { HttpRequest } from '../../http/message.ts'
import type { User } from '../../stores/records.ts'
import type { SessionUpstream } from '../../upstream/upstream.ts'
import type { Context } from '../config/context.ts'

/** The user whom the app knows by this request; undefined for none, and for every other upstream. */
export async function signedInUser(
  { upstream, config }: Context,
  request: HttpRequest,
): Promise<User | undefined> {
  if (upstream.type !== 'session') return undefined
  return await upstream.identify({
    headers: headersOf(request),
    url: `${config.origin}${request.path}${request.query === '' ? '' : `?${request.query}`}`,
  })
}

/**
 * The app's sign-in page, from which the browser comes back to this very request. The way back is made
 * here and read from nowhere: RFC 9700 §4.11. A wish for a fresh sign-in is fulfilled there, and would
 * otherwise be met again on the way back.
 */
export function signInPage(
  { config }: Context,
  upstream: SessionUpstream,
  { path, query }: HttpRequest,
): string {
  const rest = query.split('&').filter((pair) => !wantsFreshSignIn(pair))
  return upstream.signInUrl(`${config.origin}${path}?${rest.join('&')}`)
}

/** Whatever its name is spelt with: `%70rompt` is `prompt` to whoever reads it next. */
function wantsFreshSignIn(pair: string): boolean {
  const parameters = new URLSearchParams(pair)
  return parameters.has('prompt') || parameters.has('max_age')
}

function headersOf({ rawHeaders }: HttpRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const known = headers.get(name)
    // RFC 9110 §5.3 and RFC 9113 §8.2.3: lists are joined, and cookies by a semicolon.
    headers.set(
      name,
      known === undefined ? value : known + (name === 'cookie' ? '; ' : ', ') + value,
    )
  }
  return headers
}
