/**
 * The URL that sends the browser to the upstream: RFC 6749 §4.1.1 with RFC 7636 §4.3.
 */
import { sha256 } from '../crypto/hash.ts'
import { type Party, usesPkce } from './oauth2.ts'
import type { UpstreamSignIn } from './upstream.ts'

/** `parameters` come first, so that none of them can take the place of ours. */
export function authorizationUrl(
  party: Party,
  { redirect_uri, state, code_verifier }: UpstreamSignIn,
  parameters: Readonly<{ [name: string]: string }>,
): string {
  const url = new URL(party.server.authorization_endpoint)
  const pkce = { code_challenge: sha256(code_verifier), code_challenge_method: 'S256' }
  const ours = {
    response_type: 'code',
    client_id: party.client_id,
    redirect_uri,
    state,
    ...(usesPkce(party) ? pkce : {}),
  }
  for (const [name, value] of Object.entries({ ...parameters, ...ours })) {
    url.searchParams.set(name, value)
  }
  return url.href
}

/** Parameters that no configuration may set, as each holds a check of the way back. */
export const OUR_PARAMETERS: readonly string[] = [
  'response_type',
  'response_mode',
  'client_id',
  'redirect_uri',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
]
