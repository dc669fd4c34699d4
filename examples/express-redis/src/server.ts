/** One replica: the OAuth routes, and the MCP endpoint behind the guard. */
import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express'
import { toNodeHandler } from '@modelcontextprotocol/node'
import express from 'express'
import { database } from './database.ts'
import { auth } from './mcp_oauth.ts'
import { mcp } from './tools.ts'

const app = express()
const answer = toNodeHandler(mcp)
app.use(toExpressHandler(auth))
app.all('/mcp', protectExpress(auth), (req, res) => answer(req, res, req.body))

const port = Number(process.env['PORT'] ?? 3000)
app.listen(port, '127.0.0.1', (error) => {
  if (error !== undefined) throw error
  console.log(`MCP clients take ${auth.config.resources[0]?.resource}`)
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await auth.close()
    await database.quit()
    process.exit()
  })
}
