import { createApp, type Environment } from './app.ts'
import { openStore } from './open_store.ts'

declare const Deno: {
  serve(
    options: { readonly hostname: string; readonly port: number },
    handler: (
      request: Request,
      info: { readonly remoteAddr: { readonly hostname: string } },
    ) => Response | Promise<Response>,
  ): unknown
}

const app = createApp(process.env as NodeJS.ProcessEnv & Environment, openStore(process.env))
Deno.serve({ hostname: '127.0.0.1', port: Number(process.env['PORT']) }, (request, info) =>
  app.fetch(request, { remoteAddress: info.remoteAddr.hostname }),
)
