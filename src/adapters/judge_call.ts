/**
 * What the guard says of a call, in an outage too: then the call is refused with 503, so that no default
 * of a framework makes something else of it. A bug goes on to whoever takes the framework's errors.
 */
import type { HttpRequest } from '../http/message.ts'
import { OAuthError } from '../protocol/errors.ts'
import { StoreUnavailable } from '../stores/store.ts'
import { failureResponse } from './failure.ts'
import type { Guarding, Judged } from './guarding.ts'

export async function judgeCall<Auth, Options extends object>(
  auth: Guarding<Auth, Options>,
  request: HttpRequest,
  options: Options | undefined,
): Promise<Judged<Auth>> {
  try {
    return await auth.guard(request, options)
  } catch (error) {
    if (!(error instanceof StoreUnavailable || error instanceof OAuthError)) throw error
    return { outcome: 'refused', response: failureResponse(error) }
  }
}
