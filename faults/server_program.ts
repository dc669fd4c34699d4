/**
 * One server process of a fault: the real server over the store and the upstream that its one argument
 * names, as JSON. It loads everything, waits for `go` and only then opens the store and listens, so that
 * the next one can stand ready while the one before is killed. `clock <seconds>` moves its clock.
 */
import { createInterface } from 'node:readline'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { openStore, type OpenedStore } from '../src/gateway/open_store.ts'
import { OAuthError } from '../src/protocol/errors.ts'
import { oidc } from '../src/upstream/oidc.ts'
import { appLogin, startServer, type TestServer } from '../test/support/server.ts'
import type { StorePlace } from './ground.ts'

export interface ProgramSettings {
  readonly port: number
  readonly publicOrigin: string
  readonly keys: readonly string[]
  readonly store: StorePlace
  /** The OpenID provider that signs users in; the app's own login when left out. */
  readonly upstream?: {
    readonly issuer: string
    readonly client_id: string
    readonly client_secret: string
  }
}

const UNLIMITED = { authorize: 0, token: 0, register: 0, introspect: 0 }

const settings: ProgramSettings = JSON.parse(process.argv[2] ?? '{}')
const { upstream } = settings
let server: TestServer | undefined
let opened: OpenedStore | undefined
let moved = 0

for await (const line of createInterface(process.stdin)) {
  const [word, value] = line.split(' ')
  if (word === 'go') await go()
  if (word === 'clock') moved = Number(value)
  process.stdout.write(`${word}\n`)
}
await server?.close()
await opened?.close()

async function go(): Promise<void> {
  const { text, environment } = settings.store
  opened = await openStore(text, { ...process.env, ...environment })
  server = await startServer({
    port: settings.port,
    publicOrigin: settings.publicOrigin,
    keys: settings.keys,
    store: opened.store,
    rateLimits: UNLIMITED,
    now: () => Math.floor(Date.now() / 1000) + moved,
    upstream: upstream === undefined ? appLogin : () => oidc({ ...upstream, name: 'Example ID' }),
    ...(upstream !== undefined && { handler: (req, res) => void tellUpstreamToken(req, res) }),
  })
}

/** The tool behind the guard: it needs a fresh token of the upstream, and shows which one it got. */
async function tellUpstreamToken(req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const token = await server?.auth.upstreamToken(Reflect.get(req, 'auth'))
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }))
  } catch (error) {
    const { retryAfter } = error instanceof OAuthError ? error : {}
    if (retryAfter !== undefined) res.setHeader('retry-after', retryAfter)
    res.writeHead(502, { 'content-type': 'text/plain' }).end(String(error))
  }
}
