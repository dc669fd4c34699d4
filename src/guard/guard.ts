/**
 * The guard of the MCP endpoints: who may pass, with which scopes, to which tool.
 *
 * What it lets through it has read, and what it hands on are the very bytes that it has read. It throws
 * only when it cannot tell (`StoreUnavailable`): an outage is neither a yes nor a reason to sign in again.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { empty, type Headers } from '../http/respond.ts'
import { coversScope } from '../protocol/scope.ts'
import { readBearerToken } from './bearer_token.ts'
import { challengeScope } from './challenge_scope.ts'
import { createGates, type Gate } from './gate.ts'
import { readMessageBody } from './message_body.ts'
import { isPreflight, judgeOrigin, NO_HEADERS, preflightHeaders } from './origin.ts'
import {
  foreign,
  insufficientScope,
  notAllowed,
  unauthorized,
  unknownResource,
} from './refusals.ts'
import { RpcError, rpcErrorResponse } from './rpc_error.ts'
import type { GuardEvent, GuardSettings, RefusalReason } from './settings.ts'
import { demandOf, type Demand } from './tool_policy.ts'
import type { AuthInfo } from './verifier.ts'

export type { GuardEvent, GuardSettings, ProtectedResource } from './settings.ts'

export interface GuardOptions {
  /** Whether everything needs a token; true by default. If not, `OPEN_METHODS` pass without one. */
  readonly required?: boolean
  /** Canonical. By default the one whose path the request names, or the only one. */
  readonly resource?: string
}

export type Guarded =
  | {
      readonly outcome: 'passed'
      /** Undefined only under `required: false`. */
      readonly authInfo: AuthInfo | undefined
      /** Of a POST, byte for byte. */
      readonly body: Uint8Array | undefined
      /** What the guard has read in `body`: a message, or a batch of them. */
      readonly message: unknown
      /** To be added to the answer, whoever gives it: CORS. */
      readonly headers: Headers
    }
  | { readonly outcome: 'refused'; readonly response: HttpResponse }

export type Guard = (request: HttpRequest, options?: GuardOptions) => Promise<Guarded>

/** One request at one gate. */
interface Visit {
  readonly settings: GuardSettings
  readonly gate: Gate
  readonly request: HttpRequest
  readonly cors: Headers
}

const METHODS = new Set(['POST', 'GET', 'DELETE', 'HEAD'])
const MAX_BODY = 4 * 1024 * 1024
/** Hello and the lists are short. Strangers get no more of this server's time than these need. */
const MAX_ANONYMOUS_BODY = 64 * 1024
const MAX_TOLD = 200

export function createGuard(settings: GuardSettings): Guard {
  const findGate = createGates(settings)
  return async (request, options = {}) => {
    const gate = findGate(request.path, options.resource)
    if (gate === undefined) {
      settings.emit({ type: 'request_refused', reason: 'unknown_resource' })
      return { outcome: 'refused', response: unknownResource() }
    }
    // MCP, Security & Endpoint: a foreign page is refused before anything else is looked at.
    const cors = judgeOrigin(gate.origins, request)
    if (cors === 'foreign_host' || cors === 'foreign_origin') {
      return refuse({ settings, gate, request, cors: NO_HEADERS }, cors, foreign(cors))
    }
    if (isPreflight(request)) {
      return { outcome: 'refused', response: empty(204, { ...cors, ...preflightHeaders(request) }) }
    }
    return await judgeToken({ settings, gate, request, cors }, options.required ?? true)
  }
}

/** MCP, Token Requirements: a token in every request, whatever its method. */
async function judgeToken(visit: Visit, required: boolean): Promise<Guarded> {
  const { settings, gate, request } = visit
  // A method of another spelling may be a POST to whoever stands behind, with a body that nobody judged.
  if (!METHODS.has(request.method)) return refuse(visit, 'method_not_allowed', notAllowed())
  const presented = readBearerToken(request)
  switch (presented.outcome) {
    case 'token': {
      const { resource } = gate.protectedResource
      const verification = await settings.verifier.verify(presented.token, resource)
      if (verification.outcome === 'verified') {
        return await judgeContent(visit, verification.authInfo)
      }
      // One answer for every reason: RFC 6750 §3.1, invalid_token. The reason is for the log.
      return refuse(visit, verification.reason, gate.invalidToken)
    }
    case 'no_token':
      if (required) return refuse(visit, 'no_token', gate.unauthorized)
      if (request.method === 'POST') return await judgeContent(visit, undefined)
      return refuse(visit, 'no_token', gate.postOnly)
    // Credentials that are no good are never taken for none.
    case 'not_bearer':
      return refuse(visit, 'not_bearer', gate.unauthorized)
    case 'malformed_authorization':
      return refuse(visit, 'malformed_authorization', gate.invalidToken)
    case 'two_authorizations':
      return refuse(visit, 'two_authorizations', gate.invalidRequest)
  }
}

/** What a request wants, and whether its token is good for that. */
async function judgeContent(visit: Visit, authInfo: AuthInfo | undefined): Promise<Guarded> {
  const { settings, gate, request, cors: headers } = visit
  if (request.method !== 'POST') {
    return { outcome: 'passed', authInfo, body: undefined, message: undefined, headers }
  }
  try {
    const { maxBody = MAX_BODY } = settings
    const limit = authInfo === undefined ? Math.min(maxBody, MAX_ANONYMOUS_BODY) : maxBody
    const { bytes, body } = await readMessageBody(request, limit)
    const demand = demandOf(body.messages, gate.protectedResource.tools)
    if (authInfo === undefined && !demand.open) return refuseAnonymous(visit, demand)
    // MCP, Step-Up Authorization Flow: hierarchies count.
    if (authInfo !== undefined && !coversScope(authInfo.scopes, demand.scope, settings.hierarchy)) {
      return refuseTools(visit, authInfo, demand)
    }
    for (const tool of demand.tools) tell(visit, 'tool_allowed', authInfo, undefined, tool)
    return { outcome: 'passed', authInfo, body: bytes, message: body.value, headers }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    // What is too long for a stranger may be right for a user.
    if (error.status === 413 && authInfo === undefined) {
      return refuse(visit, 'no_token', gate.unauthorized)
    }
    return refuse(visit, error.reason, rpcErrorResponse(error), authInfo)
  }
}

/** There is one chance to say what the client should ask for, so everything that it needs is named. */
function refuseAnonymous(visit: Visit, { scope }: Demand): Guarded {
  const { protectedResource, scope: first } = visit.gate
  const asked = challengeScope(protectedResource, first, scope)
  return refuse(visit, 'no_token', unauthorized(protectedResource, asked))
}

function refuseTools(visit: Visit, authInfo: AuthInfo, demand: Demand): Guarded {
  const reason = 'insufficient_scope'
  for (const tool of demand.tools) tell(visit, 'tool_refused', authInfo, reason, tool)
  const { protectedResource } = visit.gate
  const asked = challengeScope(protectedResource, authInfo.scopes, demand.scope)
  return answered(visit, insufficientScope(protectedResource, asked))
}

function refuse(
  visit: Visit,
  reason: RefusalReason,
  response: HttpResponse,
  authInfo?: AuthInfo,
): Guarded {
  tell(visit, 'request_refused', authInfo, reason)
  return answered(visit, response)
}

/** CORS on refusals too: a page that cannot read the challenge cannot sign its user in. */
function answered({ cors }: Visit, { status, headers, body }: HttpResponse): Guarded {
  const told = cors === NO_HEADERS ? headers : { ...headers, ...cors }
  return { outcome: 'refused', response: { status, headers: told, body } }
}

/** Written out in full: it stands in the way of every call, and spreading would cost more than the rest. */
function tell(
  { settings, gate }: Visit,
  type: GuardEvent['type'],
  authInfo: AuthInfo | undefined,
  reason: RefusalReason | undefined,
  tool?: string,
): void {
  const { resource, tools } = gate.protectedResource
  settings.emit({
    type,
    client_id: authInfo?.clientId,
    subject: authInfo?.extra.subject,
    grantId: authInfo?.extra.grantId,
    resource,
    scope: tool === undefined ? undefined : tools.get(tool),
    tool: tool?.slice(0, MAX_TOLD),
    reason,
  })
}
