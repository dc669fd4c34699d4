/**
 * Token endpoint: OAuth 2.1 §3.2. Each grant type has a file in `grants/`, named by its `grant_type`.
 */
import { readForm } from '../../http/form.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import { OAuthError } from '../../protocol/errors.ts'
import type { Context } from '../config/context.ts'
import { checkRate } from '../config/rate.ts'
import { GRANT_TYPES } from '../grants/grant_types.ts'
import { authenticateHolder } from '../grants/holder.ts'

export async function token(context: Context, request: HttpRequest): Promise<HttpResponse> {
  const form = await readForm(request)
  const grant_type = form.required('grant_type')
  // RFC 6749 §5.2. The grant is chosen by its name alone, never by which parameters are there.
  const grant = GRANT_TYPES.get(grant_type)
  if (grant === undefined) {
    throw new OAuthError(
      'unsupported_grant_type',
      'grant_type must be authorization_code or refresh_token',
    )
  }
  // Each grant type has its own budget: a storm of refreshes must not stop anybody from signing in.
  checkRate(context, request, 'token', `token ${grant_type}`)
  const client = await authenticateHolder(context, request, form, 'refresh_token')
  return json(200, await grant(context, client, form))
}
