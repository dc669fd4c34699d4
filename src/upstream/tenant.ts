/**
 * Microsoft Entra's issuers: one document stands for every tenant, and its issuer has a gap in it that
 * the `tid` of each id_token fills.
 * https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer
 */
import { peek } from './id_token.ts'

const GAP = '{tenantid}'
const TENANT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The issuer that this id_token must have by `pattern`; undefined when its tenant is none. Nothing is
 * believed here: the id_token is then verified against the issuer, tenant and all.
 */
export function tenantIssuer(pattern: string, id_token: string): string | undefined {
  const tid = peek(id_token, 'payload')?.['tid']
  return typeof tid === 'string' && TENANT.test(tid) ? pattern.replace(GAP, tid) : undefined
}

export function isTenantPattern(issuer: string): boolean {
  return issuer.includes(GAP)
}

/** Whether `issuer` fills the gap of `pattern`. */
export function fitsPattern(pattern: string, issuer: string): boolean {
  const [before = '', after = ''] = pattern.split(GAP)
  const fits = issuer.startsWith(before) && issuer.endsWith(after)
  return fits && TENANT.test(issuer.slice(before.length, issuer.length - after.length))
}
