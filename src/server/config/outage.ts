/**
 * An outage on its way to somebody else's code, which may make a 401 or a 500 of it without a word: told
 * here, before it is thrown on.
 */
import { StoreUnavailable } from '../../stores/store.ts'
import type { Context } from './context.ts'

export function tellOutage(
  { events }: Pick<Context, 'events'>,
  about: string,
  error: unknown,
): void {
  if (error instanceof StoreUnavailable) events.emit({ type: 'store_failed', about, error })
}
