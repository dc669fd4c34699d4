/**
 * A plan carried out: the store opened, the server and the gateway made, the port listened on.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { hardenServer, SERVER_OPTIONS } from '../adapters/node.ts'
import { createMcpOAuth } from '../server/server.ts'
import { createGateway, DRAIN, type Gateway } from './gateway.ts'
import type { Log } from './log.ts'
import { openSetting, type OpenedStore } from './open_store.ts'
import { openUpstream, type Plan } from './plan.ts'

export interface Service {
  /** Where it listens. */
  readonly url: string
  /** Takes no more calls, lets those under way finish, and closes everything. */
  close(): Promise<void>
}

/** Seconds: between two looks for idle connections, and until the others are closed as well. */
const SWEEP = 0.05
const GRACE = 3
/** A record that nobody has: whether a store answers is seen by asking for it. */
const NOBODY = '00000000000000000000000000'

/**
 * Runs a plan in which `judge` found nothing.
 * @throws KeysRefused when the keys are not those of the store, StoreUnavailable when it cannot be opened, Error when the port cannot be listened on
 */
export async function serve(plan: Plan, log: Log): Promise<Service> {
  const { options, backends, config } = plan
  const opened = await openSetting(plan.store)
  const { store } = opened
  try {
    await store.find('grant', NOBODY)
    const auth = createMcpOAuth({
      ...options,
      store,
      upstream: openUpstream(plan.upstream),
      onEvent: [(event) => log.onEvent(event), ...[options.onEvent ?? []].flat()],
    })
    await auth.checkKeys()
    const { timeouts, recheck, callsPerUser, passHeaders } = config
    const gateway = createGateway({
      auth,
      keys: options.keys,
      backends,
      log,
      ready: () => store.find('grant', NOBODY),
      ...(timeouts !== undefined && { timeouts }),
      ...(recheck !== undefined && { recheck }),
      ...(callsPerUser !== undefined && { callsPerUser }),
      ...(passHeaders !== undefined && { passHeaders }),
    })
    const server = createServer(SERVER_OPTIONS, (req, res) => gateway.handler(req, res))
    server.on('checkContinue', (req, res) => gateway.handler(req, res))
    hardenServer(server)
    const url = await listen(server, plan)
    return { url, close: () => close(server, gateway, opened, config.drain ?? DRAIN) }
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function listen(server: Server, { port, host }: Plan): Promise<string> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`, { cause })
  }
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return 'something listens there already; choose another --port'
    case 'EACCES':
      return 'this user may not; choose a --port above 1023'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address; choose another --host'
    default:
      return cause instanceof Error ? cause.message : 'the reason is unknown'
  }
}

/** From the outside in: no new connections, then no calls, then no store. */
async function close(
  server: Server,
  gateway: Gateway,
  store: OpenedStore,
  seconds: number,
): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  await gateway.close(seconds)
  // What is left are answers of the OAuth routes, which are short, and connections that wait for more.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP * 1000)
  const timeUp = setTimeout(() => server.closeAllConnections(), GRACE * 1000)
  await closed
  clearInterval(sweep)
  clearTimeout(timeUp)
  await store.close()
}
