import express, { type Request, type Response } from 'express'
import cors from 'cors'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createServer } from './server.js'

const PORT = parseInt(process.env.PORT ?? '3000', 10)

const app = express()
app.use(express.json({ limit: '4mb' }))
app.use(cors({ origin: '*', exposedHeaders: ['Mcp-Session-Id'] }))

app.get('/health', (_req: Request, res: Response) => {
  res.json({ status: 'ok' })
})

// Stateless: a server and a transport for each request.
app.post('/mcp', async (req: Request, res: Response) => {
  const server = createServer()
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  res.on('close', () => {
    void transport.close()
    void server.close()
  })
  await server.connect(transport)
  await transport.handleRequest(req, res, req.body)
})

for (const method of ['get', 'delete'] as const) {
  app[method]('/mcp', (_req: Request, res: Response) => {
    res.status(405).json({
      jsonrpc: '2.0',
      error: { code: -32000, message: 'Method not allowed.' },
      id: null,
    })
  })
}

app.listen(PORT, '127.0.0.1', () => {
  console.log(`Notes listen at http://localhost:${PORT}/mcp`)
})
