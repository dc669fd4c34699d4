/** Sign-in for the MCP server: who signs users in, where that is kept, and what each tool needs. */
import { createMcpOAuth, onFirstUse } from '@mcp-oauth/server'
import { upstashFromEnvironment } from '@mcp-oauth/server/stores/upstash'
import { createUpstream } from './upstream'

// Made with the first request, as `next build` imports this file too, where there are no secrets.
export const auth = onFirstUse(() => {
  const { MCP_OAUTH_ISSUER: issuer = '', MCP_OAUTH_KEYS: keys = '' } = process.env
  return createMcpOAuth({
    issuer,
    resource: issuer.replace(/\/oauth$/, '/mcp'),
    name: 'Notes',
    keys,
    store: upstashFromEnvironment(process.env),
    upstream: createUpstream(),
    scopes: { profile: 'See who you are', roll: 'Roll dice for you' },
    // What a client gets at first. A tool that needs more makes it come back and ask the user.
    defaultScope: ['profile'],
    tools: { whoami: ['profile'], roll_dice: ['roll'] },
  })
})
