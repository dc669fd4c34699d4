/** What somebody writes whose server stands on Node. */
import { createServer } from 'node:http'
import { createMcpOAuth } from '@mcp-oauth/server'
import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express'
import { createGateway } from '@mcp-oauth/server/gateway'
import { hardenServer, protectNode, SERVER_OPTIONS, toNodeHandler } from '@mcp-oauth/server/node'
import { sqlite } from '@mcp-oauth/server/stores/sqlite'
import { oidc } from '@mcp-oauth/server/upstream'

const issuer = 'https://mcp.example.com'
const keys = process.env['MCP_OAUTH_KEYS'] ?? ''

const auth = createMcpOAuth({
  issuer,
  resource: `${issuer}/mcp`,
  keys,
  store: sqlite('mcp-oauth.db', { durability: 'power' }),
  upstream: oidc({ issuer: 'https://id.example.com', client_id: 'id', client_secret: 'secret' }),
})

const routes = toNodeHandler(auth)
const mcp = protectNode(auth, (req, res, message) => {
  const subject: string | undefined = req.auth?.extra.subject
  res.end(JSON.stringify({ subject, message }))
})

export const server = createServer(SERVER_OPTIONS, (req, res) =>
  req.url === '/mcp' ? mcp(req, res) : routes(req, res),
)
hardenServer(server)

export const middleware = [toExpressHandler(auth), protectExpress(auth, { required: false })]

export const gateway = createGateway({
  auth,
  keys,
  backends: { [`${issuer}/mcp`]: { to: 'http://127.0.0.1:9000/mcp' } },
  timeouts: { headers: 10 },
})
