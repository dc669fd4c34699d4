/**
 * Giving a credential back: RFC 7009, or what an upstream has in its place.
 */
import { systemClock } from './clock.ts'
import { answerFailure } from './failure.ts'
import { basicCredentials, type Party, revokeToken } from './oauth2.ts'
import type { Answer } from './send.ts'

/** `rfc7009` where there is a revocation_endpoint at all; the others have forms of their own. */
export type Revocation = 'rfc7009' | 'github' | 'slack' | 'notion'

interface Credential {
  readonly access_token: string
  readonly refresh_token: string | undefined
}

/** @throws UpstreamError */
export async function revokeAt(
  form: Revocation,
  party: Party,
  { access_token, refresh_token }: Credential,
): Promise<void> {
  const endpoint = party.server.revocation_endpoint
  if (endpoint === undefined) return
  switch (form) {
    case 'rfc7009':
      // RFC 7009 §2.1: with a refresh token the access tokens of its grant SHOULD go, too.
      return revokeToken(party, refresh_token ?? access_token)
    case 'github':
      return check(party, await revokeAtGitHub(party, endpoint, access_token), [204, 404, 422])
    case 'slack':
      return check(party, await revokeAtSlack(party, endpoint, access_token), [200])
    case 'notion':
      return check(party, await revokeAtNotion(party, endpoint, access_token), [200])
  }
}

/** https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-token */
function revokeAtGitHub(party: Party, endpoint: string, access_token: string): Promise<Answer> {
  const { client_id, client_secret = '', send } = party
  return send(endpoint.replace('{client_id}', encodeURIComponent(client_id)), {
    method: 'DELETE',
    headers: {
      authorization: basicCredentials(client_id, client_secret),
      accept: 'application/vnd.github+json',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ access_token }),
  })
}

/** https://docs.slack.dev/reference/methods/auth.revoke */
function revokeAtSlack({ send }: Party, endpoint: string, access_token: string): Promise<Answer> {
  return send(endpoint, { method: 'POST', headers: { authorization: `Bearer ${access_token}` } })
}

/** https://developers.notion.com/reference/revoke-token */
function revokeAtNotion(party: Party, endpoint: string, access_token: string): Promise<Answer> {
  const { client_id, client_secret = '', send } = party
  return send(endpoint, {
    method: 'POST',
    headers: {
      authorization: basicCredentials(client_id, client_secret),
      'content-type': 'application/json',
    },
    body: JSON.stringify({ token: access_token }),
  })
}

function check({ who }: Party, { status, headers }: Answer, good: readonly number[]): void {
  if (good.includes(status)) return
  throw answerFailure(who, `the revocation answers ${status}`, headers, systemClock())
}
