/**
 * Judges `allow` and makes it the one question that is asked of every user: may you enter?
 */
import type { User } from '../../stores/records.ts'
import type { Fault } from './fault.ts'
import type { AllowOptions, Options } from './options.ts'

/** Answers at once where it can; only a function of the operator's may take its time. */
export function judgeAllow(
  { allow }: Options,
  fault: Fault,
): (user: User) => boolean | Promise<boolean> {
  if (allow === undefined) return () => true
  if (typeof allow === 'function') return async (user) => (await allow(user)) === true
  const { emails = [], domains = [], subjects = [] } = allow
  if (emails.length + domains.length + subjects.length === 0) {
    fault('allow', 'names nobody; fill emails, domains or subjects, or leave it out')
  }
  for (const domain of domains.filter((one) => !/^[^@\s]+\.[^@\s]+$/.test(one))) {
    fault('allow.domains', `has ${JSON.stringify(domain)}, which is no domain such as example.com`)
  }
  for (const email of emails.filter((one) => !/^[^@\s]+@[^@\s]+$/.test(one))) {
    fault('allow.emails', `has ${JSON.stringify(email)}, which is no address`)
  }
  return (user) => isNamed(user, { emails, domains, subjects })
}

function isNamed(user: User, { emails, domains, subjects }: Required<AllowOptions>): boolean {
  if (subjects.includes(user.sub)) return true
  // An address that the upstream has not verified is what somebody typed.
  if (!user.email_verified || user.email === undefined) return false
  const email = user.email.toLowerCase()
  // The domain is behind the last @: "evil.com@corp.com" is an address at corp.com only if one @ is there.
  const [local, domain, ...more] = email.split('@')
  if (local === undefined || local === '' || domain === undefined || more.length > 0) return false
  return (
    emails.some((one) => one.toLowerCase() === email) ||
    domains.some((one) => one.toLowerCase() === domain)
  )
}
