/**
 * Registration endpoint: RFC 7591 §3.
 *
 * Open to anybody, as the clients that use it come unknown. So nothing in a registration is believed:
 * it is judged, cut to what this server knows, bounded in number and size, and forgotten when unused.
 */
import { header, type HttpRequest, type HttpResponse } from '../../http/message.ts'
import { json } from '../../http/respond.ts'
import { parseRegistration } from '../../protocol/client_metadata.ts'
import { OAuthError } from '../../protocol/errors.ts'
import { isJsonType, parseJsonDocument } from '../../protocol/json_document.ts'
import { clientPolicy } from '../clients/client.ts'
import { registerClient, type Registration } from '../clients/register.ts'
import type { Context } from '../config/context.ts'
import { callerNetwork, checkRate } from '../config/rate.ts'

// Ten times what any client sends. All of it may be kept for a day, for anybody who asks.
const MAX_BODY = 16 * 1024
const MAX_AUTHORIZATION = 4096
// RFC 9110 §11.4: a scheme and a token. Parameters are for schemes that nothing here uses.
const AUTHORIZATION = /^[A-Za-z][A-Za-z0-9-]* +[A-Za-z0-9\-._~+/]+=*$/

export async function registration(context: Context, request: HttpRequest): Promise<HttpResponse> {
  checkRate(context, request, 'register')
  const answer = await register(context, request)
  const { client_id, metadata } = answer
  context.events.emit({
    type: 'client_registered',
    client_id,
    about: hostsOf(metadata.redirect_uris),
    network: callerNetwork(context, request),
  })
  return json(201, bodyOf(answer))
}

async function register(context: Context, request: HttpRequest): Promise<Registration> {
  checkAuthorization(request)
  // RFC 7591 §3.1. A page at another site can send forms and plain text without asking, but not this.
  if (!isJsonType(header(request, 'content-type'))) {
    throw new OAuthError('invalid_client_metadata', 'the body must be application/json', {
      status: 415,
    })
  }
  const parsed = parseJsonDocument(await request.readBody(MAX_BODY))
  if (parsed === undefined) {
    throw new OAuthError('invalid_client_metadata', 'the body is not JSON in UTF-8')
  }
  return registerClient(context, parseRegistration(parsed.value, clientPolicy(context.config)))
}

/** RFC 7591 §3: open registration needs no token, and a well-formed one changes nothing. */
function checkAuthorization(request: HttpRequest): void {
  const value = header(request, 'authorization')
  if (value === undefined) return
  if (value.length > MAX_AUTHORIZATION || !AUTHORIZATION.test(value) || !isBasicOrOther(value)) {
    throw new OAuthError('invalid_request', 'the Authorization header is malformed')
  }
}

function isBasicOrOther(value: string): boolean {
  const encoded = /^basic +(.*)$/i.exec(value)?.[1]
  return encoded === undefined || Buffer.from(encoded, 'base64').includes(':')
}

/** RFC 7591 §3.2.1: everything as it was registered. What is undefined is left out; a null breaks clients. */
function bodyOf({ client_id, client_secret, client_id_issued_at, metadata }: Registration): object {
  return {
    client_id,
    client_id_issued_at,
    client_secret,
    // REQUIRED with a secret; 0 means that it does not expire.
    client_secret_expires_at: client_secret === undefined ? undefined : 0,
    ...metadata,
  }
}

/** Where the codes would go: what an operator looks for in a log. */
function hostsOf(redirect_uris: readonly string[]): string {
  const hosts = redirect_uris.map((uri) => {
    const { host, protocol } = new URL(uri)
    return host === '' ? protocol : host
  })
  return [...new Set(hosts)].join(' ')
}
