/**
 * Introspection endpoint: RFC 7662 §2, for resource servers that cannot ask the guard.
 *
 * Each sees the access tokens of its own resource and nothing else. A refresh token or a code is not an
 * access token, so it is as unknown here as a random text.
 */
import { readForm } from '../../http/form.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import { authenticateResourceServer } from '../clients/authenticate.ts'
import type { Context } from '../config/context.ts'
import { checkRate } from '../config/rate.ts'
import { readAccessToken } from '../tokens/access_token.ts'
import { judgeGrant } from '../tokens/local_verifier.ts'

export async function introspection(context: Context, request: HttpRequest): Promise<HttpResponse> {
  const form = await readForm(request)
  checkRate(context, request, 'introspect')

  // RFC 7662 §2.1: the caller MUST be authorized, or anyone could scan for live tokens (§4).
  const caller = await authenticateResourceServer(context, request, form)

  const claims = readAccessToken(context.keys, form.required('token'))
  // RFC 7662 §2.2: nothing is told of a token that does not hold, nor of one that is for somebody else.
  if (claims === undefined || context.clock() >= claims.exp) return inactive()
  if (claims.resource !== caller.resource) return inactive()
  const found = await context.store.find('grant', claims.grantId)
  if (found === undefined || judgeGrant(found.record, claims) !== undefined) return inactive()

  const { client_id, subject, createdAt } = found.record
  return json(200, {
    active: true,
    token_type: 'Bearer',
    client_id,
    ...(claims.scope === '' ? {} : { scope: claims.scope }),
    exp: claims.exp,
    sub: subject,
    aud: claims.resource,
    iss: context.config.issuer,
    jti: claims.jti,
    // When the user signed in: OpenID Connect Core §2.
    auth_time: createdAt,
  })
}

function inactive(): HttpResponse {
  return json(200, { active: false })
}
