/**
 * Legacy session ids (`Mcp-Session-Id`, MCP 2025-03-26 to 2025-11-25), each bound to its user.
 *
 * A backend behind the gateway cannot tell whose session an id is, so the gateway can: it hands the
 * client `<backend's id>.<kid>.<mac>`, where the MAC covers id, resource and subject, and takes back
 * only what was made for the one who asks. Only a session begun without signing in is remembered
 * here: the first user who goes on with it owns it.
 */
import { equal } from '../crypto/hash.ts'
import type { Key, Keyring } from '../crypto/keyring.ts'
import { mac } from '../crypto/mac.ts'

/** Whose a session is: a subject at a resource; undefined for one begun without signing in. */
export interface SessionOwner {
  readonly resource: string
  readonly subject: string | undefined
}

export interface Sessions {
  /** What the client is to see of the backend's `id`. */
  bind(id: string, owner: SessionOwner): string
  /** The backend's id; undefined when `bound` does not belong to `owner`. */
  resolve(bound: string, owner: SessionOwner): string | undefined
}

const MAX_ADOPTED = 10_000
const MAX_LENGTH = 1024

export function createSessions(keys: Keyring): Sessions {
  const adopted = new Map<string, string>()

  // Sign-in may come in the middle of a session where `initialize` is open to everybody.
  function adopt(bound: string, { resource, subject }: SessionOwner): string | undefined {
    const id = unbind(keys, bound, { resource, subject: undefined })
    if (id === undefined || adopted.get(bound) === subject) return id
    if (subject === undefined || adopted.has(bound)) return undefined
    adopted.set(bound, subject)
    const [oldest] = adopted.keys()
    if (adopted.size > MAX_ADOPTED && oldest !== undefined) adopted.delete(oldest)
    return id
  }

  return {
    bind: (id, owner) => `${id}.${keys.newest.kid}.${tagOf(keys.newest, id, owner)}`,
    resolve(bound, owner) {
      if (bound.length > MAX_LENGTH) return undefined
      const own = owner.subject === undefined ? undefined : unbind(keys, bound, owner)
      return own ?? adopt(bound, owner)
    },
  }
}

function unbind(keys: Keyring, bound: string, owner: SessionOwner): string | undefined {
  const [, id = '', kid = '', tag = ''] = /^(.+)\.([^.]+)\.([^.]+)$/.exec(bound) ?? []
  const key = keys.find(kid)
  return key !== undefined && equal(tag, tagOf(key, id, owner)) ? id : undefined
}

function tagOf(key: Key, id: string, { resource, subject }: SessionOwner): string {
  return mac(key, 'cookie', JSON.stringify(['mcp-session', id, resource, subject ?? null]))
}
