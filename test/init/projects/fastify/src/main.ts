import { createMcpFastifyApp } from '@modelcontextprotocol/fastify'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { createServer } from './server.js'

const MCP_PATH = '/mcp'

async function main() {
  const app = createMcpFastifyApp()

  app.post(MCP_PATH, async (request, reply) => {
    const server = createServer()
    const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined })
    reply.raw.on('close', () => {
      void transport.close()
      void server.close()
    })
    await server.connect(transport)
    await transport.handleRequest(request.raw, reply.raw, request.body)
  })

  app.get(MCP_PATH, (_request, reply) => reply.code(405).send())
  app.delete(MCP_PATH, (_request, reply) => reply.code(405).send())
  app.get('/health', () => ({ status: 'ok' }))

  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })
}

await main()
