/**
 * Who calls, for a tool: the `AuthInfo` of this server again, after an SDK handed it on as one of its own,
 * in whose type nothing is known of `extra`.
 */
import type { AuthInfo } from './verifier.ts'

/** As much of an `AuthInfo` as every SDK and framework hands on. */
export interface WithExtra {
  readonly extra?: Readonly<{ [name: string]: unknown }> | undefined
}

/** @throws TypeError where nobody is signed in, or `authInfo` is not of this server */
export function callerOf(authInfo: WithExtra | undefined): AuthInfo {
  if (authInfo === undefined) throw new TypeError('nobody is signed in: there is no authInfo')
  if (!isOurs(authInfo)) throw new TypeError('this authInfo was not made by the guard')
  return authInfo
}

function isOurs(authInfo: WithExtra): authInfo is AuthInfo {
  const { grantId, subject, user } = authInfo.extra ?? {}
  if (typeof grantId !== 'string' || typeof subject !== 'string') return false
  return typeof user === 'object' && user !== null
}
