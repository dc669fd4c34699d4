import { createApp, type Environment } from './app.ts'
import { openStore } from './open_store.ts'

// At global scope, as on the other runtimes: all requests of an isolate share it.
const app = createApp(process.env as NodeJS.ProcessEnv & Environment, openStore(process.env))

export default {
  fetch: (request: Request): Response | Promise<Response> =>
    app.fetch(request, { remoteAddress: request.headers.get('cf-connecting-ip') ?? undefined }),
}
