/**
 * The server put together: authorization server, upstream client and guard over one store.
 */
import { fromFetch, toResponse } from '../adapters/fetch.ts'
import { createKeyring } from '../crypto/keyring.ts'
import { callerOf, type WithExtra } from '../guard/caller.ts'
import { createGuard, type Guarded, type GuardOptions } from '../guard/guard.ts'
import {
  createTokenVerifier,
  type InvalidToken,
  type TokenVerifier,
} from '../guard/token_verifier.ts'
import type { AuthInfo, Verification, Verifier } from '../guard/verifier.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { createRateLimiter } from '../http/rate_limit.ts'
import { json } from '../http/respond.ts'
import { seeThrough } from '../http/runtime.ts'
import { createSafeFetch } from '../http/safe_fetch.ts'
import type { Config, Context } from './config/context.ts'
import { createEvents, type EmittedEvent } from './config/events.ts'
import { namedResource, resourceFor } from './config/find_resource.ts'
import { judgeOptions } from './config/judge.ts'
import type { Options } from './config/options.ts'
import { tellOutage } from './config/outage.ts'
import { createTroubleLog } from './config/trouble.ts'
import { adoptSession, type Adoption, type ForeignSession } from './connections/adopt.ts'
import { callerToken } from './connections/caller_token.ts'
import { createKeyGate, type KeyGate } from './keys/key_gate.ts'
import { forgetKey } from './keys/key_register.ts'
import { protectedCall, type ProtectedHandler } from './protected_call.ts'
import { createRouter } from './router.ts'
import { createSweep } from './sweep.ts'
import { createGrantCache } from './tokens/grant_cache.ts'
import { assertIdentity } from './tokens/identity_assertion.ts'
import { createLocalVerifier } from './tokens/local_verifier.ts'

/** What a runtime knows of a caller and a `Request` does not say. */
export interface Caller {
  /** The address of the socket's peer. Without it all callers share one rate limit. */
  readonly remoteAddress?: string | undefined
}

/** The server. Times in seconds. */
export interface McpOAuth {
  readonly config: Config
  /** Answers every OAuth route; undefined when the path is not one of ours. Never throws. */
  handle(request: HttpRequest): Promise<HttpResponse | undefined>
  /** The same for Fetch; 404 for other paths. */
  fetch(request: Request, caller?: Caller): Promise<Response>
  /** Judges a request to a protected MCP endpoint. @throws StoreUnavailable */
  guard(request: HttpRequest, options?: GuardOptions): Promise<Guarded>
  /** The guard around a Fetch handler, which also finds `auth` on its request, as MCP handlers expect it. */
  protect(
    handler: ProtectedHandler,
    options?: GuardOptions,
  ): (request: Request) => Promise<Response>
  /**
   * Who holds a token; undefined when it does not hold. For `withMcpAuth` of mcp-handler, which answers
   * 401 in an outage, too. It knows nothing of what is called: `tools` are enforced by `guard`,
   * `protect` and `protectNode`. The resource is the one whose path the request has, or the only one.
   * @throws StoreUnavailable
   */
  verifyToken(
    request: Request | undefined,
    token: string | undefined,
  ): Promise<AuthInfo | undefined>
  /**
   * The `verifier` that `requireBearerAuth` of an MCP SDK takes, v1 or v2. `invalidToken` makes the error
   * by which that SDK knows a bad token, and gets a description:
   * `new InvalidTokenError(description)` in v1, `new OAuthError(OAuthErrorCode.InvalidToken, description)`
   * in v2. It knows nothing of what is called, as `verifyToken`. In an outage the SDKs answer 500.
   * @param resource whose tokens hold; may be left out where there is only one
   * @throws RangeError where `resource` is none of this server's, or is left out and there are several
   */
  verifier(invalidToken: InvalidToken, resource?: string): TokenVerifier
  /**
   * Who calls, in a tool: the `authInfo` that an MCP SDK or framework hands it, with its types again.
   * @throws TypeError where there is none, or it is not of this server
   */
  caller(authInfo: WithExtra | undefined): AuthInfo
  /**
   * A fresh access token of the upstream, for the user behind `authInfo`, which may be in the shape that
   * an MCP SDK gives it to a tool.
   * @throws OAuthError `invalid_grant` when the user must sign in again, `temporarily_unavailable`
   * @throws TypeError where `authInfo` is not of this server, or the upstream has no tokens to give
   */
  upstreamToken(authInfo: WithExtra | undefined): Promise<string>
  /** A JWT for `audience` that says who the user is, signed with a key of `/jwks`: RFC 7519. */
  assertIdentity(authInfo: AuthInfo, audience: string): Promise<string>
  /**
   * Takes over a sign-in that another server made: its refresh token goes on here. May be repeated.
   * @throws RangeError when the session cannot be taken over. StoreUnavailable passes through.
   */
  adopt(session: ForeignSession): Promise<Adoption>
  /**
   * Checks that the keys are those of the store: for the start of a program, as otherwise it is done
   * before the first request that needs the store.
   * @throws KeysRefused that names the key and the mend; StoreUnavailable in an outage
   */
  checkKeys(): Promise<void>
  /**
   * Says that nobody has the key of this short name any more, so that servers start without it. Who holds
   * what it sealed signs in again. False where the store does not know it. @throws StoreUnavailable
   */
  forgetKey(kid: string): Promise<boolean>
  /** Lets go of the store. */
  close(): Promise<void>
}

/** @throws OptionsError that names every fault of the options */
export function createMcpOAuth(options: Options): McpOAuth {
  const { config, keys, dangers } = judgeOptions(options)
  const direct = createContext(options, config, keys)
  const grants = createGrantCache(direct.store, direct.clock)
  const context = { ...direct, store: grants.store }
  for (const danger of dangers) context.events.emit({ type: 'danger', reason: danger })
  const gate = createKeyGate(context)
  const verifier = behind(gate, context, createLocalVerifier(context, grants.find))
  const guard = createGuard({
    ...config,
    scopes: [...config.scopes.keys()],
    verifier,
    emit: (event) => context.events.emit(event),
  })
  const route = createRouter(context, gate)
  const sweep = createSweep(context)

  function handle(request: HttpRequest): Promise<HttpResponse | undefined> {
    sweep.touch()
    return seeThrough(route(request))
  }

  async function verifyToken(request: Request | undefined, token: string | undefined) {
    const resource = resourceFor(config, request)
    if (token === undefined || resource === undefined) return undefined
    const verified = await verifier.verify(token, resource)
    return verified.outcome === 'verified' ? verified.authInfo : undefined
  }

  return {
    config,
    handle,
    async fetch(request, caller) {
      const response = await handle(fromFetch(request, caller?.remoteAddress))
      return toResponse(response ?? json(404, { error: 'not_found' }))
    },
    guard,
    protect: (handler, guardOptions) => (request) =>
      protectedCall(context, guard, handler, request, guardOptions),
    verifyToken,
    verifier: (invalidToken, resource) =>
      createTokenVerifier(verifier, namedResource(config, resource), invalidToken),
    caller: callerOf,
    async upstreamToken(authInfo) {
      try {
        await gate.pass()
        return await seeThrough(callerToken(context, authInfo))
      } catch (error) {
        tellOutage(context, 'upstreamToken', error)
        throw error
      }
    },
    assertIdentity: (authInfo, audience) => assertIdentity(context, authInfo, audience),
    async adopt(session) {
      await gate.pass()
      return await adoptSession(context, session)
    },
    checkKeys: gate.check,
    forgetKey: (kid) => forgetKey({ store: context.store, issuer: config.issuer }, kid),
    async close() {
      sweep.stop()
      await context.store.close()
    },
  }
}

/** With the keys of another store each good token would look forged, and its client would throw it away. */
function behind(gate: KeyGate, context: Context, verifier: Verifier): Verifier {
  async function pass(token: string, resource: string): Promise<Verification> {
    try {
      await gate.pass()
    } catch (error) {
      tellOutage(context, resource, error)
      throw error
    }
    return await verifier.verify(token, resource)
  }
  return {
    verify: (token, resource) =>
      gate.isOpen() ? verifier.verify(token, resource) : pass(token, resource),
  }
}

function createContext(options: Options, config: Config, keys: readonly string[]): Context {
  // The one door to the clock.
  const clock = options.clock ?? (() => Math.floor(Date.now() / 1000))
  const { dangerouslyAllowPrivateAddresses } = config.metadataDocuments
  return {
    config,
    keys: createKeyring(keys),
    store: options.store,
    upstream: options.upstream,
    clock,
    events: createEvents(subscribersOf(options), clock),
    fetch: createSafeFetch({ trustedOrigins: [], dangerouslyAllowPrivateAddresses }),
    limiter: createRateLimiter(),
  }
}

function subscribersOf({ onEvent }: Options): readonly ((event: EmittedEvent) => void)[] {
  if (onEvent === undefined) return [createTroubleLog()]
  return typeof onEvent === 'function' ? [onEvent] : onEvent
}
