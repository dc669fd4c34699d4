/** A client that goes away while its request is under way. */
import type { HoldingProxy } from './holding_proxy.ts'

/**
 * Sends a request to a Worker behind `front`, goes while the server behind `proxy` is being waited for, and
 * only then lets that answer.
 */
export async function leave(
  proxy: HoldingProxy,
  which: (path: string, body: string) => boolean,
  url: string,
  init: RequestInit,
): Promise<void> {
  proxy.hold(which)
  const headers = { ...(init.headers as { [name: string]: string }), 'leave-after': '500' }
  const { status } = await fetch(url, { ...init, headers })
  if (status !== 499) throw new Error(`it was answered: ${status}`)
  await proxy.holds()
  proxy.release()
}
