/** Where users sign in, and what tools ask there in their name: GitHub, or any OpenID provider. */
import { github, oidc, type Upstream } from '@mcp-oauth/server/upstream'

export function createUpstream(): Upstream {
  const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET = '' } = process.env
  if (GITHUB_CLIENT_ID) {
    return github({ client_id: GITHUB_CLIENT_ID, client_secret: GITHUB_CLIENT_SECRET })
  }
  const { OIDC_ISSUER = '', OIDC_CLIENT_ID = '', OIDC_CLIENT_SECRET = '' } = process.env
  return oidc({
    issuer: OIDC_ISSUER,
    client_id: OIDC_CLIENT_ID,
    client_secret: OIDC_CLIENT_SECRET,
  })
}

/** Who the user is, as the upstream says. The calls of your own tools will look like this one. */
export async function askUpstream(accessToken: string): Promise<string> {
  const headers = { authorization: `Bearer ${accessToken}`, 'user-agent': 'next-upstash' }
  return await (await fetch(await profileUrl(), { headers })).text()
}

async function profileUrl(): Promise<string> {
  const { GITHUB_CLIENT_ID, OIDC_ISSUER } = process.env
  if (GITHUB_CLIENT_ID) return 'https://api.github.com/user'
  const metadata = await fetch(`${OIDC_ISSUER}/.well-known/openid-configuration`)
  return ((await metadata.json()) as { userinfo_endpoint: string }).userinfo_endpoint
}
