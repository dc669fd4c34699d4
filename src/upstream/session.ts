/**
 * The login that the app around this library already has, as an upstream.
 *
 * The app tells who is signed in, and is asked with each consent. What it tells is checked, because it
 * becomes the owner of every grant that follows.
 */
import type { User } from '../stores/records.ts'
import { judgeId, refuseFaults } from './judge.ts'
import { type SessionUpstream, UpstreamError } from './upstream.ts'

/** What the app tells of its user. */
export interface SessionUser {
  /** The id that never changes hands: a primary key, and no e-mail address. */
  readonly sub: string
  readonly name?: string | undefined
  readonly email?: string | undefined
  /** Whether the app has verified the address; false by default. */
  readonly email_verified?: boolean | undefined
}

/** The options of `session`. */
export interface SessionOptions {
  /** Stable and short: part of stored records; `session` by default. */
  readonly id?: string
  /** What the app is called on the consent page. */
  readonly name: string
  /** Who is signed in, told from the cookies of this request; undefined when nobody is. */
  readonly identify: (
    request: Parameters<SessionUpstream['identify']>[0],
  ) => SessionUser | undefined | Promise<SessionUser | undefined>
  /** Where somebody signs in who is not, to come back to `return_to`. A URL, or a path on this origin. */
  readonly signInUrl: (return_to: string) => string
  /** Whose users these are: with `sub` what identifies them. The id by default. */
  readonly issuer?: string
}

const MAX_LENGTH = 255

/** @throws RangeError that names every fault. */
export function session(options: SessionOptions): SessionUpstream {
  refuseFaults('session', judgeSession(options))
  const { id = 'session', name, issuer = id } = options
  return {
    type: 'session',
    id,
    name,
    async identify(request) {
      const user = await ask(id, () => options.identify(request))
      // Code without types may well say null.
      if (user === undefined || user === null) return undefined
      return checkUser(id, issuer, user)
    },
    signInUrl: (return_to) => checkUrl(id, options.signInUrl(return_to)),
  }
}

function judgeSession({
  id,
  name,
  issuer,
  identify,
  signInUrl,
}: SessionOptions): readonly string[] {
  return [
    ...(id === undefined ? [] : judgeId(id)),
    ...(isText(name) ? [] : ['name is missing']),
    ...(issuer === undefined || isText(issuer) ? [] : ['issuer is empty']),
    ...(typeof identify === 'function' ? [] : ['identify must be a function']),
    ...(typeof signInUrl === 'function' ? [] : ['signInUrl must be a function']),
  ]
}

/** An app that fails to say who is there has not said that nobody is. */
async function ask<T>(id: string, question: () => T): Promise<Awaited<T>> {
  try {
    return await question()
  } catch (cause) {
    throw new UpstreamError('transient', `${id}: identify failed`, { cause })
  }
}

function checkUser(id: string, issuer: string, user: SessionUser): User {
  const { sub, name, email, email_verified } = user
  // A number, or an object that prints as one, would make one user of many.
  if (!isText(sub)) {
    throw new UpstreamError(
      'transient',
      `${id}: identify gave a sub that is no text, or an empty one`,
    )
  }
  const address = isText(email) ? email : undefined
  return {
    issuer,
    sub,
    name: isText(name) ? name : undefined,
    email: address,
    email_verified: address !== undefined && email_verified === true,
  }
}

function checkUrl(id: string, url: unknown): string {
  // `//host` and `/\host` are other origins to a browser.
  const path = typeof url === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(url)
  const absolute =
    typeof url === 'string' && /^https?:\/\/[^\s\\]+$/i.test(url) && URL.canParse(url)
  if (path || absolute) return url
  throw new UpstreamError('transient', `${id}: signInUrl gave neither a URL nor a path`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH
}
