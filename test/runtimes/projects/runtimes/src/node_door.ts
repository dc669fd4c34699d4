/** The door `./node` alone: the OAuth routes, and an endpoint behind the guard that says what it was sent. */
import { createServer } from 'node:http'
import { createMcpOAuth } from '@mcp-oauth/server'
import { hardenServer, protectNode, SERVER_OPTIONS, toNodeHandler } from '@mcp-oauth/server/node'
import { memory } from '@mcp-oauth/server/stores/memory'
import { session } from '@mcp-oauth/server/upstream'

const { PORT, MCP_OAUTH_KEYS = '' } = process.env
const issuer = `http://127.0.0.1:${PORT}`
const auth = createMcpOAuth({
  issuer,
  resource: `${issuer}/mcp`,
  keys: MCP_OAUTH_KEYS,
  store: memory(),
  upstream: session({ name: 'Us', identify: () => ({ sub: 'ada' }), signInUrl: () => '/login' }),
})
const routes = toNodeHandler(auth)
const endpoint = protectNode(auth, (req, res) => {
  res.end(JSON.stringify(Reflect.get(req, 'body') ?? null))
})
const server = createServer(SERVER_OPTIONS, (req, res) => {
  if (req.url === '/mcp') endpoint(req, res)
  else routes(req, res)
})
hardenServer(server)
server.listen(Number(PORT), '127.0.0.1')
