/**
 * Who signed in, read from JSON by a mapping: which member is the stable id, which the name.
 *
 * The stable id alone identifies. Login names and e-mail addresses change hands at every upstream.
 */
import type { User } from '../stores/records.ts'
import { isJsonObject, type JsonObject } from './send.ts'

/** Paths of members, parted by dots: `data.viewer.id`. */
export interface IdentityMapping {
  /** The id that never changes hands. Several are joined with `:`, and each must be there. */
  readonly sub: string | readonly string[]
  /** The first of them that is there. */
  readonly name?: string | readonly string[]
  readonly email?: string
  /** Where the upstream says that it has verified the address; without it no address counts as verified. */
  readonly email_verified?: string
}

const MAX_SUB = 255
const MAX_TEXT = 320

/** The user in `json`; undefined when the stable id is not there or is no text and no number. */
export function readIdentity(
  json: JsonObject,
  mapping: IdentityMapping,
  issuer: string,
): User | undefined {
  const parts = [mapping.sub].flat().map((path) => readId(member(json, path)))
  const sub = parts.join(':')
  if (parts.includes(undefined) || sub.length > MAX_SUB) return undefined
  const names = [mapping.name ?? []].flat().map((path) => readText(member(json, path)))
  const email = readText(member(json, mapping.email))
  const verified = member(json, mapping.email_verified)
  return {
    issuer,
    sub,
    name: names.find((name) => name !== undefined),
    email,
    email_verified: email !== undefined && (verified === true || verified === 'true'),
  }
}

/** A stable id as text. A number beyond 2^53 has lost digits in JSON and may be somebody else's. */
function readId(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (typeof value !== 'string' || value === '' || value.length > MAX_SUB) return undefined
  return /\p{Cc}/u.test(value) ? undefined : value
}

/** A text for display: neither empty nor long, else it is as if it were not there. */
export function readText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() === '' || value.length > MAX_TEXT) return undefined
  return value
}

function member(json: JsonObject, path: string | undefined): unknown {
  if (path === undefined) return undefined
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined,
      json,
    )
}
