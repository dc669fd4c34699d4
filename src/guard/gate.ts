/**
 * A protected resource made ready: everything that can be worked out before a request comes.
 */
import type { HttpResponse } from '../http/message.ts'
import { withoutOfflineAccess } from './challenge_scope.ts'
import { createOriginRules, type OriginRules } from './origin.ts'
import { invalidRequest, invalidToken, postOnly, unauthorized } from './refusals.ts'
import type { GuardSettings, ProtectedResource } from './settings.ts'

export interface Gate {
  readonly protectedResource: ProtectedResource
  readonly origins: OriginRules
  /** What the first challenge asks for. */
  readonly scope: readonly string[]
  readonly unauthorized: HttpResponse
  readonly postOnly: HttpResponse
  readonly invalidToken: HttpResponse
  readonly invalidRequest: HttpResponse
}

/**
 * Finds the gate of a request by its path, or by the resource that the caller of the guard names.
 * @throws RangeError when that one does not exist: the caller is the program, not the client.
 */
export type FindGate = (path: string, resource: string | undefined) => Gate | undefined

export function createGates(settings: GuardSettings): FindGate {
  const gates = settings.resources.map((resource) => createGate(settings, resource))
  const byResource = new Map(gates.map((gate) => [gate.protectedResource.resource, gate]))
  const byPath = new Map<string, Gate | undefined>()
  for (const gate of gates) {
    const { pathname } = new URL(gate.protectedResource.resource)
    // Two resources of one path differ in the host, and what a request says of its host is not believed.
    byPath.set(pathname, byPath.has(pathname) ? undefined : gate)
  }
  const only = gates.length === 1 ? gates[0] : undefined
  return (path, resource) => {
    if (resource === undefined) return byPath.get(path) ?? only
    const gate = byResource.get(resource)
    if (gate === undefined) throw new RangeError(`this server has no resource ${resource}`)
    return gate
  }
}

function createGate(settings: GuardSettings, resource: ProtectedResource): Gate {
  const scope = withoutOfflineAccess(
    settings.defaultScope.filter((token) => resource.scopes.includes(token)),
  )
  return {
    protectedResource: resource,
    origins: createOriginRules(resource.resource, settings.issuer, settings.allowedOrigins),
    scope,
    unauthorized: unauthorized(resource, scope),
    postOnly: postOnly(resource, scope),
    invalidToken: invalidToken(resource, scope),
    invalidRequest: invalidRequest(resource, scope),
  }
}
