/**
 * `/healthz`: this process lives. `/readyz`: it can serve, which needs the store.
 *
 * A process that shuts down lives and is not ready, so that a balancer sends its callers elsewhere.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { json } from '../http/respond.ts'

/** Both paths; no resource may stand there. */
export const HEALTH_PATHS: readonly string[] = ['/healthz', '/readyz']

/** Seconds that a store has to answer. */
const PATIENCE = 3

/** The answer to a question after this process's health; undefined for every other request. */
export async function health(
  request: HttpRequest,
  ready: () => Promise<unknown>,
): Promise<HttpResponse | undefined> {
  if (!HEALTH_PATHS.includes(request.path)) return undefined
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return json(405, { error: 'invalid_request' }, { allow: 'GET, HEAD' })
  }
  const well = request.path === '/healthz' || (await answers(ready))
  return json(well ? 200 : 503, { status: well ? 'ok' : 'unavailable' })
}

async function answers(ready: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE * 1000)
  })
  const answered = ready().then(
    () => true,
    () => false,
  )
  const well = await Promise.race([answered, timeUp])
  clearTimeout(timer)
  return well
}
