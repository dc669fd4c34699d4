import type { IncomingMessage } from 'node:http'
import { serve } from '@hono/node-server'
import { createApp, type Environment } from './app.ts'
import { openStore } from './open_store.ts'

const app = createApp(process.env as NodeJS.ProcessEnv & Environment, openStore(process.env))
serve({
  hostname: '127.0.0.1',
  port: Number(process.env['PORT']),
  fetch: (request, { incoming }) => {
    const { remoteAddress } = (incoming as IncomingMessage).socket
    return app.fetch(request, { remoteAddress })
  },
})
