/**
 * The JSON Web Key Set: RFC 7517 §5. The public half of every key in the ring, and nothing else.
 */
import { publicJwks } from '../../crypto/jwt.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import type { Context } from '../config/context.ts'

// A new key is put behind the newest first and moved to the front later than this, so that whoever keeps
// a copy knows it before anything is signed with it.
const MAX_AGE = 15 * 60

export async function jwks(context: Context, _request: HttpRequest): Promise<HttpResponse> {
  return json(200, publicJwks(context.keys), {
    'content-type': 'application/jwk-set+json',
    'cache-control': `public, max-age=${MAX_AGE}`,
  })
}
