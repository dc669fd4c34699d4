import { serve } from '@hono/node-server'
import { createMcpHonoApp } from '@modelcontextprotocol/hono'
import { handler } from './notes.ts'

const app = createMcpHonoApp()

app.get('/', (c) => c.text('Notes'))
app.all('/mcp', (c) => handler.fetch(c.req.raw))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 3000) })
