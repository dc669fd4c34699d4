'use strict'

const http = require('node:http')
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js')
const {
  StreamableHTTPServerTransport,
} = require('@modelcontextprotocol/sdk/server/streamableHttp.js')

function createMcpServer() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Who calls' }, ({ authInfo }) => ({
    content: [{ type: 'text', text: JSON.stringify(authInfo?.extra ?? 'nobody') }],
  }))
  return server
}

const server = http.createServer(async (req, res) => {
  if (req.url === '/health') {
    res.end('ok')
    return
  }
  if (req.url !== '/mcp') {
    res.writeHead(404).end()
    return
  }
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await createMcpServer().connect(transport)
  await transport.handleRequest(req, res)
})

server.listen(process.env.PORT || 3000, '127.0.0.1')
