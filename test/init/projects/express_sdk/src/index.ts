import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createServer } from './server.js'

const PORT = parseInt(process.env.PORT ?? '3000', 10)

const app = createMcpExpressApp()

app.get('/health', (_req, res) => {
  res.json({ status: 'ok' })
})

app.all('/mcp', async (req, res) => {
  const server = createServer()
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  await server.connect(transport)
  await transport.handleRequest(req, res, req.body)
})

app.listen(PORT, '127.0.0.1')
