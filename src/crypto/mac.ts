/**
 * Message authentication: HMAC-SHA-256 (RFC 2104) under a key of the ring, each purpose under its own.
 */
import { createHmac } from 'node:crypto'
import { keyObject } from './key_object.ts'
import type { Key, Purpose } from './keyring.ts'

/** The MAC of `text` in base64url, 43 characters. */
export function mac(key: Key, purpose: Purpose, text: string): string {
  return createHmac('sha256', keyObject(key, purpose)).update(text).digest('base64url')
}
