/**
 * Next.js, over the edge to Fetch: what the catch-all routes of the App Router export.
 *
 * A handler sees the URL without the `basePath` of the app, and with a slash at its end where
 * `trailingSlash` is set. Who calls, Next does not tell.
 */
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { json } from '../http/respond.ts'
import { fromFetch, toResponse } from './fetch.ts'
import type { RouteHandler } from './guarding.ts'

export type { RouteHandler } from './guarding.ts'

export interface NextOptions {
  /** The `basePath` of the app's `next.config`, if it has one. */
  readonly basePath?: string
  /**
   * The address of the caller, from a header that the platform sets whatever the caller sent. Without it
   * all callers share one rate limit.
   */
  readonly remoteAddress?: (request: Request) => string | undefined
}

export type NextHandler = (request: Request) => Promise<Response>

/** Next answers HEAD with GET, and 405 to any other method. */
export interface NextHandlers {
  readonly GET: NextHandler
  readonly POST: NextHandler
  readonly OPTIONS: NextHandler
}

/**
 * Every OAuth route, for `app/oauth/[...path]/route.ts` and `app/.well-known/[...path]/route.ts`; 404 for
 * what is not ours.
 */
export function toNextHandlers(auth: RouteHandler, options: NextOptions = {}): NextHandlers {
  async function handler(request: Request): Promise<Response> {
    const plain = fromFetch(request, options.remoteAddress?.(request))
    const response = await answer(auth, plain, options.basePath ?? '')
    return toResponse(response ?? json(404, { error: 'not_found' }))
  }
  return { GET: handler, POST: handler, OPTIONS: handler }
}

/** Metadata belongs to the root of the origin, and comes from there by a rewrite: RFC 8615 §3. */
async function answer(
  auth: RouteHandler,
  request: HttpRequest,
  basePath: string,
): Promise<HttpResponse | undefined> {
  const path = request.path.replace(/\/$/, '')
  const answered = await auth.handle({ ...request, path: basePath + path })
  return answered ?? (basePath === '' ? undefined : await auth.handle({ ...request, path }))
}
