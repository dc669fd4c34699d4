import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'

export function createServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Who calls' }, (extra) => ({
    content: [{ type: 'text', text: JSON.stringify(extra.authInfo?.extra ?? 'nobody') }],
  }))
  return server
}
