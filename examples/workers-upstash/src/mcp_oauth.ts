/** Sign-in for the MCP server: who signs users in, where that is kept, and what each tool needs. */
import { createMcpOAuth } from '@mcp-oauth/server'
import { upstashFromEnvironment } from '@mcp-oauth/server/stores/upstash'
import { oidc } from '@mcp-oauth/server/upstream'

const {
  MCP_OAUTH_ISSUER: issuer = '',
  MCP_OAUTH_KEYS: keys = '',
  OIDC_ISSUER = '',
  OIDC_CLIENT_ID: client_id = '',
  OIDC_CLIENT_SECRET: client_secret = '',
} = process.env

// All requests of an isolate share it.
export const auth = createMcpOAuth({
  issuer,
  resource: `${issuer}/mcp`,
  name: 'Notes',
  keys,
  store: upstashFromEnvironment(process.env),
  upstream: oidc({ issuer: OIDC_ISSUER, client_id, client_secret }),
  scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Write notes in your name' },
  // What a client gets at first. A tool that needs more makes it come back and ask the user.
  defaultScope: ['notes:read'],
  tools: { list_notes: ['notes:read'], add_note: ['notes:write'] },
})

/** Asks the provider, as the user, who the user is. Your own API calls will look like this. */
export async function askUpstream(accessToken: string): Promise<string> {
  const metadata = await fetch(`${OIDC_ISSUER}/.well-known/openid-configuration`)
  const { userinfo_endpoint } = (await metadata.json()) as { userinfo_endpoint: string }
  const headers = { authorization: `Bearer ${accessToken}` }
  return await (await fetch(userinfo_endpoint, { headers })).text()
}
