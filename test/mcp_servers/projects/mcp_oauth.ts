import { createMcpOAuth } from '@mcp-oauth/server'
import { upstashFromEnvironment } from '@mcp-oauth/server/stores/upstash'
import { oidc } from '@mcp-oauth/server/upstream'

const {
  MCP_OAUTH_ISSUER: issuer = 'http://localhost:3000',
  MCP_OAUTH_KEYS: keys = '',
  OIDC_ISSUER = '',
  OIDC_CLIENT_ID: client_id = '',
  OIDC_CLIENT_SECRET: client_secret = '',
} = process.env

export const auth = createMcpOAuth({
  issuer,
  resource: `${issuer}/mcp`,
  keys,
  store: upstashFromEnvironment(process.env),
  upstream: oidc({ issuer: OIDC_ISSUER, client_id, client_secret }),
  scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
  tools: { delete_note: ['notes:write'] },
})
