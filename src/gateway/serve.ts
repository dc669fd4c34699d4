/**
 * A plan carried out: the store opened, the server and the gateway made, the port listened on.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { hardenServer } from '../adapters/node.ts'
import { canonicalResource } from '../protocol/resource.ts'
import { OptionsError } from '../server/config/judge.ts'
import { createMcpOAuth } from '../server/server.ts'
import { memory } from '../stores/memory.ts'
import type { Store } from '../stores/store.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { createGateway, judgeGateway, type GatewayOptions } from './gateway.ts'
import type { Log } from './log.ts'
import type { Plan } from './plan.ts'

export interface Service {
  /** Where it listens. */
  readonly url: string
  /** Takes no more calls, lets those under way finish, and closes everything. */
  close(): Promise<void>
}
