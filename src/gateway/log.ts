/**
 * The gateway's log: one JSON object a line.
 *
 * Small on purpose, so that what reaches a line is decided here alone: every text is cut, what looks
 * like a secret is masked even though no event should hold one, and nothing can begin a second line.
 */
import type { EmittedEvent } from '../server/config/events.ts'

export type Level = 'info' | 'warn' | 'error'

export interface Log {
  write(level: Level, event: string, fields?: Readonly<{ [name: string]: unknown }>): void
  /** A subscriber for `onEvent`. */
  onEvent(event: EmittedEvent): void
}

const MAX_TEXT = 500
const MAX_STACK = 4000

// Our tokens and keys, JWTs, and whatever stands where a credential stands in a header or a query.
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(mcp_[a-z]{2}_|mok_)[\w.-]+/g, '$1***'],
  [/\beyJ[\w-]{5,}\.[\w-]+(\.[\w-]*)?/g, '***'],
  // The user and the password in a URL, as a database has them.
  [/(\/\/)[^\s/@]+@/g, '$1***@'],
  [/\b(bearer|basic|dpop) [\w.~+/=-]+/gi, '$1 ***'],
  [
    /\b((?:access_|refresh_|id_)?token|code|state|nonce|client_secret|client_assertion|code_verifier|password|secret|key)((?:=|%3D)|["']?\s*:\s*["']?)[^\s&"',;}]+/gi,
    '$1$2***',
  ],
]

const LEVELS: Readonly<{ [type: string]: Level }> = {
  internal_error: 'error',
  store_failed: 'error',
  keys_refused: 'error',
  upstream_failed: 'warn',
  danger: 'warn',
  rate_limited: 'warn',
}

/** A log that hands each line, with its line end, to `sink`. */
export function createLog(
  sink: (line: string) => void,
  clock: () => number = () => Date.now() / 1000,
): Log {
  function write(level: Level, event: string, fields: Readonly<{ [name: string]: unknown }>): void {
    const time = new Date(clock() * 1000).toISOString()
    const told = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, tell(value)] as const],
    )
    const line = JSON.stringify({ time, level, event, ...Object.fromEntries(told) })
    // JSON lets these two stand as they are, and some viewers end a line at them.
    sink(`${line.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`)
  }
  return {
    write: (level, event, fields = {}) => write(level, event, fields),
    onEvent({ type, at: _, ...fields }) {
      write(LEVELS[type] ?? 'info', type, fields)
    },
  }
}

/** `text` without anything that could be a credential. */
export function mask(text: string): string {
  return SECRETS.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text)
}

function tell(value: unknown): unknown {
  if (typeof value === 'string') return tellText(value, MAX_TEXT)
  if (Array.isArray(value)) return value.slice(0, 50).map(tell)
  if (value instanceof Error) return tellError(value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  return typeof value
}

function tellError(error: Error): object {
  const cause =
    error.cause instanceof Error ? { cause: tellText(String(error.cause), MAX_TEXT) } : {}
  return { name: error.name, stack: tellText(error.stack ?? error.message, MAX_STACK), ...cause }
}

/** Cut before it is masked: the patterns never see more than they can take, nor half a mask. */
function tellText(text: string, limit: number): string {
  const masked = mask(text.slice(0, limit * 2))
  return masked.length > limit ? `${masked.slice(0, limit)}…` : masked
}
