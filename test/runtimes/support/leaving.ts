/** A client that goes away while its request is under way. */
import type { HoldingProxy } from './holding_proxy.ts'

/** Sends a request, goes when the server behind `proxy` is being waited for, and only then lets that answer. */
export async function leave(
  proxy: HoldingProxy,
  which: (path: string, body: string) => boolean,
  url: string,
  init: RequestInit,
): Promise<void> {
  const controller = new AbortController()
  proxy.hold(which)
  const sent = fetch(url, { ...init, signal: controller.signal }).catch(() => undefined)
  await proxy.holds()
  controller.abort()
  await sent
  // The runtime hears of it by the end of the connection, which comes before any later request.
  await fetch(new URL('/.well-known/oauth-authorization-server', url))
  proxy.release()
}
