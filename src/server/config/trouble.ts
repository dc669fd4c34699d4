/**
 * Who gets the events where nobody asked for them: the console, which is told what somebody has to see to.
 *
 * Everything else is left out, and so is more of one type within a minute: a store that is down would
 * otherwise fill a disk.
 */
import type { EmittedEvent, Event } from './events.ts'

const TOLD: ReadonlySet<Event['type']> = new Set([
  'internal_error',
  'store_failed',
  'keys_refused',
  'danger',
])
/** Seconds. */
const EVERY = 60

/** A subscriber that writes to the console, once a minute for each type; `danger` each time. */
export function createTroubleLog(): (event: EmittedEvent) => void {
  const told = new Map<Event['type'], number>()
  return (event) => {
    const { type, at } = event
    const before = told.get(type)
    const again = before !== undefined && at < before + EVERY && type !== 'danger'
    if (!TOLD.has(type) || again) return
    told.set(type, at)
    console.error(wordsOf(event))
  }
}

function wordsOf({ type, about, reason, reference, error }: EmittedEvent): string {
  const where = about === undefined ? '' : ` at ${about}`
  const quoted = reference === undefined ? '' : ` (reference ${reference})`
  const why = [reason, causeOf(error)].filter((part) => part !== undefined).join('\n')
  return `mcp-oauth: ${type}${where}${quoted}${why === '' ? '' : `: ${why}`}`
}

/** A bug with its stack, anything else with what it says and what that says of its cause. */
function causeOf(error: unknown): string | undefined {
  if (error === undefined) return undefined
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `\n  ${error.cause.message}` : ''
  return `${error.stack ?? error.message}${cause}`
}
