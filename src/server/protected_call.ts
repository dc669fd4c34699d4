/**
 * A call to a Fetch handler behind the guard.
 */
import { failureResponse } from '../adapters/failure.ts'
import { fromFetch, toResponse } from '../adapters/fetch.ts'
import type { Guard, Guarded, GuardOptions } from '../guard/guard.ts'
import type { AuthInfo } from '../guard/verifier.ts'
import type { HttpResponse } from '../http/message.ts'
import { StoreUnavailable } from '../stores/store.ts'
import type { Context } from './config/context.ts'
import { failure } from './failure.ts'

/** How a failure of the guard is told. */
const MCP_ENDPOINT = { channel: 'back', refusal: 'request_refused' } as const

/** What a protected Fetch handler gets beside the request. */
export interface ProtectedExtra {
  /** Undefined only with `required: false`, for what may be asked without a token. */
  readonly authInfo: AuthInfo | undefined
}

/** What is protected: an MCP handler, as the SDKs make it. */
export type ProtectedHandler = (
  request: Request,
  extra: ProtectedExtra,
) => Response | Promise<Response>

export async function protectedCall(
  context: Context,
  guard: Guard,
  handler: ProtectedHandler,
  request: Request,
  options: GuardOptions | undefined,
): Promise<Response> {
  const plain = fromFetch(request)
  let guarded: Guarded
  try {
    guarded = await guard(plain, options)
  } catch (error) {
    // An outage has been told of already.
    if (error instanceof StoreUnavailable) return toResponse(failureResponse(error))
    return toResponse(failure(context, plain, MCP_ENDPOINT, error))
  }
  if (guarded.outcome === 'refused') return toResponse(guarded.response)
  const { authInfo, body, headers } = guarded
  // The handler gets the very bytes that were judged.
  const judged = new Request(request.url, {
    method: request.method,
    headers: request.headers,
    signal: request.signal,
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
  })
  const response = await handler(Object.assign(judged, { auth: authInfo }), { authInfo })
  return withHeaders(response, headers)
}

function withHeaders(response: Response, headers: HttpResponse['headers']): Response {
  const merged = new Headers(response.headers)
  for (const [name, value] of Object.entries(headers)) {
    merged.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers: merged })
}
