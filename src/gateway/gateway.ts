/**
 * The gateway: sign-in and guard in front of MCP servers that know nothing of either.
 *
 * It has four kinds of path: the protected endpoints, each with the one backend URL behind it; the
 * OAuth routes of the server; `/healthz` and `/readyz`; and nothing else. No part of a client's path
 * ever becomes part of a backend's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { failureResponse } from '../adapters/failure.ts'
import { toHttpRequest, writeHttpResponse } from '../adapters/node.ts'
import { createKeyring } from '../crypto/keyring.ts'
import { randomSecret } from '../crypto/random.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { McpOAuth } from '../server/server.ts'
import { StoreUnavailable } from '../stores/store.ts'
import { notFound, shuttingDown } from './answers.ts'
import type { Timeouts } from './backend.ts'
import { answerCall, type CallContext } from './call.ts'
import { createCalls } from './calls.ts'
import { whenExpected } from './expect.ts'
import { health } from './health.ts'
import type { Log } from './log.ts'
import { judgePassedHeader } from './request_headers.ts'
import { createRoutes, judgePlaces, judgeRoutes, type Backends } from './routes.ts'
import { createSessions } from './session.ts'

export interface GatewayOptions {
  readonly auth: McpOAuth
  /** The keys that `auth` has, as a list or parted by commas: they bind legacy session ids to users. */
  readonly keys: string | readonly string[]
  /** What stands behind each resource of `auth`, by its URL. */
  readonly backends: Backends
  readonly timeouts?: Partial<Timeouts>
  /** Seconds between two checks of the token of an open stream; 30 by default, 0 leaves only its expiry. */
  readonly recheck?: number
  /** Calls and streams of one user at a time; 64 by default, 0 for any number. */
  readonly callsPerUser?: number
  /** Further request headers that reach the backends. */
  readonly passHeaders?: readonly string[]
  readonly log?: Log
  /** Throws while the store does not answer: what `/readyz` tells. */
  readonly ready?: () => Promise<unknown>
}

export interface Gateway {
  /** For `http.createServer`, and for its `checkContinue` event. */
  handler(req: IncomingMessage, res: ServerResponse): void
  /** Refuses what is new, ends the streams, gives calls `seconds` to finish, and lets go of the backends. */
  close(seconds?: number): Promise<void>
}

export const RECHECK = 30
export const CALLS_PER_USER = 64
export const DRAIN = 10

/** @throws RangeError that names each fault of the options. */
export function createGateway(options: GatewayOptions): Gateway {
  const faults = [...judgeGateway(options), ...judgePlaces(options.auth.config)]
  if (faults.length > 0) throw new RangeError(faults.join('; '))
  const context = createContext(options)
  const { auth, calls, log } = context
  const routes = createRoutes(options.backends, options.timeouts)
  let closing = false

  async function ready(): Promise<void> {
    if (closing) throw new Error('it is shutting down')
    await options.ready?.()
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = whenExpected(toHttpRequest(req), req, res)
    const route = routes.get(request.path)
    if (route !== undefined && !closing) return await answerCall(context, route, request, res)
    const response =
      (await health(request, ready)) ??
      (closing ? shuttingDown() : ((await auth.handle(request)) ?? notFound()))
    writeHttpResponse(res, response, request.method === 'HEAD')
  }

  return {
    handler(req, res) {
      answer(req, res).catch((error: unknown) => {
        const reference = randomSecret(6)
        if (isBug(error)) log?.write('error', 'internal_error', { reference, error })
        if (res.headersSent) res.destroy()
        else writeHttpResponse(res, failureResponse(error, reference))
      })
    },
    async close(seconds = DRAIN) {
      closing = true
      await calls.drain(seconds)
      await Promise.all([...routes.values()].map(({ backend }) => backend.pool.destroy()))
    },
  }
}

/** Every fault of what only the gateway knows; the rest has been judged with `auth`. */
export function judgeGateway(options: Omit<GatewayOptions, 'auth'> & HasResources): string[] {
  const resources = options.auth.config.resources.map(({ resource }) => resource)
  const headers = (options.passHeaders ?? []).flatMap((name) => {
    const fault = judgePassedHeader(name.toLowerCase())
    return fault === undefined ? [] : [`passHeaders: ${name} ${fault}`]
  })
  return [...judgeRoutes(options.backends, resources), ...headers]
}

/** As much of `auth` as the judgement needs. */
export interface HasResources {
  readonly auth: { readonly config: { readonly resources: readonly { resource: string }[] } }
}

function createContext(options: GatewayOptions): CallContext {
  const { auth, keys, log, recheck = RECHECK, callsPerUser = CALLS_PER_USER } = options
  return {
    auth,
    log,
    calls: createCalls(callsPerUser, recheck),
    sessions: createSessions(createKeyring(typeof keys === 'string' ? splitKeys(keys) : keys)),
    passHeaders: new Set(options.passHeaders?.map((name) => name.toLowerCase())),
  }
}

function splitKeys(keys: string): readonly string[] {
  return keys
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

/** An outage has been told of by whoever met it. */
function isBug(error: unknown): boolean {
  return !(error instanceof OAuthError || error instanceof StoreUnavailable)
}
