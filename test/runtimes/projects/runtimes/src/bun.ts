import { createApp, type Environment } from './app.ts'
import { openStore } from './open_store.ts'

interface Server {
  requestIP(request: Request): { readonly address: string } | null
}

declare const Bun: {
  serve(options: {
    readonly hostname: string
    readonly port: number
    fetch(request: Request, server: Server): Response | Promise<Response>
  }): unknown
}

const app = createApp(process.env as NodeJS.ProcessEnv & Environment, openStore(process.env))
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env['PORT']),
  fetch: (request, server) =>
    app.fetch(request, { remoteAddress: server.requestIP(request)?.address }),
})
