import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'

export const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Who calls' }, ({ http }) => ({
    content: [{ type: 'text', text: JSON.stringify(http?.authInfo?.extra ?? 'nobody') }],
  }))
  return server
})
