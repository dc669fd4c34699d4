/**
 * The one address that an upstream has verified, where it lists addresses apart from the user:
 * https://docs.github.com/en/rest/users/emails.
 */
import { readText } from './identity.ts'
import { isJsonObject, type Send } from './send.ts'

/** Undefined when the access token may not read them, or none is primary and verified. */
export async function readVerifiedEmail(
  send: Send,
  endpoint: string,
  access_token: string,
): Promise<string | undefined> {
  const { status, list } = await send(endpoint, {
    headers: { authorization: `Bearer ${access_token}` },
  })
  if (status !== 200) return undefined
  const primary = (list ?? [])
    .filter(isJsonObject)
    .find((entry) => entry['primary'] === true && entry['verified'] === true)
  return readText(primary?.['email'])
}
