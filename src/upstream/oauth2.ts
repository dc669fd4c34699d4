/**
 * The client's part of OAuth 2.0 and OpenID Connect. The one door to oauth4webapi.
 *
 * That package keeps strictly to the specifications, and it gets to see only answers that keep to them
 * too: `token_answer` mends on the way in what real upstreams do otherwise.
 */
import * as oauth from 'oauth4webapi'
import { systemClock } from './clock.ts'
import { answerFailure, callbackFailure, clean, tokenFailure } from './failure.ts'
import { judgeIdToken } from './id_token.ts'
import type { Answer, JsonObject, Send } from './send.ts'
import { type PlainTokens, readTokenAnswer } from './token_answer.ts'
import { UpstreamError, type UpstreamSignIn, type UpstreamTokens } from './upstream.ts'

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none'

/** An authorization server's metadata as far as it is used; RFC 8414 §2. Each endpoint has been judged. */
export interface ServerMetadata extends oauth.AuthorizationServer {
  readonly authorization_endpoint: string
  readonly token_endpoint: string
}

/** How an upstream departs from the specifications. */
export interface Dialect {
  /** Its own error codes, in those of RFC 6749 §5.2. */
  readonly errors?: Readonly<{ [error: string]: string }>
  /** Brings a token answer into the form of RFC 6749 §5.1. */
  readonly readToken?: (json: JsonObject) => JsonObject
  /** The token endpoint wants JSON instead of a form. */
  readonly jsonBody?: boolean
  /** No PKCE when there is a client secret, because the upstream refuses both together. */
  readonly noPkceWithSecret?: boolean
}

/** The two sides: who is asked, and as whom. */
export interface Party {
  /** For the log. */
  readonly who: string
  readonly server: ServerMetadata
  readonly client_id: string
  readonly client_secret: string | undefined
  readonly authMethod: ClientAuthMethod
  readonly tokenParameters: Readonly<{ [name: string]: string }>
  readonly dialect: Dialect
  readonly send: Send
  /** The keys of the upstream, kept between sign-ins. */
  readonly keys: KeyCache
  /** The issuer of this id_token, where the metadata has one issuer for many tenants. */
  readonly issuerOf?: (id_token: string) => string | undefined
}

/** Keys are fetched anew at most once a minute, however many id_tokens name an unknown one. */
export interface KeyCache {
  readonly kept: oauth.JWKSCacheInput
  readonly load: (url: string) => Promise<Response>
}

/** What a code was good for. */
export interface Redeemed {
  readonly tokens: UpstreamTokens
  /** The whole token answer. */
  readonly json: JsonObject
  /** The verified claims; undefined without OpenID Connect. */
  readonly claims: JsonObject | undefined
}

const INSECURE = { [oauth.allowInsecureRequests]: true }

export function createKeyCache(who: string, send: Send): KeyCache {
  const load = async (url: string): Promise<Response> => {
    const { status, json } = await send(url)
    if (status === 200 && Array.isArray(json?.['keys'])) return Response.json(json)
    throw new UpstreamError('transient', `${who}: jwks_uri answers ${status} without keys`)
  }
  return { kept: {}, load }
}

/** Whether the sign-in carries a challenge; RFC 9700 §2.1.1 wants one of every client. */
export function usesPkce({
  client_secret,
  dialect,
}: Pick<Party, 'client_secret' | 'dialect'>): boolean {
  return dialect.noPkceWithSecret !== true || client_secret === undefined
}

/**
 * The parameters that came with the browser, checked: once each, our state, the right issuer (RFC 9207
 * §2.4), no error. @throws UpstreamError
 */
export function readCallback(
  { who, server, client_id }: Party,
  query: string,
  state: string,
): URLSearchParams {
  const parameters = new URLSearchParams(query)
  try {
    const checked = oauth.validateAuthResponse(server, { client_id }, parameters, state)
    // RFC 6749 §4.1.2: once, and not empty.
    const codes = checked.getAll('code')
    if (codes.length === 1 && codes[0] !== '') return checked
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) {
      throw callbackFailure(who, error.error, error.error_description)
    }
    // A TypeError is how the package calls misuse: a bug of ours, whatever came back.
    if (error instanceof TypeError) throw error
    throw refusal(who, 'the sign-in that came back is refused', error)
  }
  throw new UpstreamError('permanent', `${who}: the sign-in came back without one code`)
}

/** Redeems the code of `callback`. `nonce` asks for an id_token and verifies it. @throws UpstreamError */
export async function redeemCode(
  party: Party,
  callback: URLSearchParams,
  signIn: UpstreamSignIn,
  nonce: string | undefined,
): Promise<Redeemed> {
  const { server, client_id, tokenParameters } = party
  const exchange = tokenExchange(party)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    { client_id },
    authenticate(party),
    callback,
    signIn.redirect_uri,
    usesPkce(party) ? signIn.code_verifier : oauth.nopkce,
    { ...INSECURE, additionalParameters: tokenParameters, [oauth.customFetch]: exchange.load },
  )
  const { json, tokens } = exchange.result()
  const claims = nonce === undefined ? undefined : await verify(party, response, tokens, nonce)
  return { tokens: finish(tokens, server.token_endpoint), json, claims }
}

/** @throws UpstreamError */
export async function refreshTokens(party: Party, refresh_token: string): Promise<UpstreamTokens> {
  const { server, client_id, tokenParameters } = party
  const exchange = tokenExchange(party)
  await oauth.refreshTokenGrantRequest(server, { client_id }, authenticate(party), refresh_token, {
    ...INSECURE,
    additionalParameters: tokenParameters,
    [oauth.customFetch]: exchange.load,
  })
  // An id_token beside it is left alone: who the user is was settled at the sign-in.
  return finish(exchange.result().tokens, server.token_endpoint)
}

/** RFC 7009. @throws UpstreamError */
export async function revokeToken(party: Party, token: string): Promise<void> {
  const { server, client_id, send, who } = party
  await oauth.revocationRequest(server, { client_id }, authenticate(party), token, {
    ...INSECURE,
    [oauth.customFetch]: async (url, { headers, body }) => {
      const { status, headers: answered, json } = await send(url, post(headers, body, false))
      // RFC 7009 §2.2: a token that is gone already is no failure, though Google calls it one.
      const gone =
        json?.['error'] === 'invalid_token' || json?.['error'] === 'unsupported_token_type'
      if (status === 200 || gone) return new Response()
      throw answerFailure(who, `the revocation endpoint answers ${status}`, answered, systemClock())
    },
  })
}

/**
 * OpenID Connect Core §5.3: what the upstream tells of `sub`, or of whoever the bearer is where no
 * id_token has said it before. Undefined when the access token is not for
 * this endpoint. @throws UpstreamError
 */
export async function readUserinfo(
  party: Party,
  access_token: string,
  sub?: string,
): Promise<JsonObject | undefined> {
  const { server, client_id, send, who } = party
  const seen: Answer[] = []
  const response = await oauth.userInfoRequest(server, { client_id }, access_token, {
    ...INSECURE,
    [oauth.customFetch]: async (url, { headers }) => {
      const answer = await send(url, { headers: { ...headers, accept: 'application/json' } })
      seen.push(answer)
      return Response.json(answer.json ?? {})
    },
  })
  const status = seen[0]?.status
  if (status === 401 || status === 403) return undefined
  if (status !== 200 || seen[0]?.json === undefined) {
    throw new UpstreamError('transient', `${who}: userinfo answers ${status} without JSON`)
  }
  try {
    // OpenID Connect Core §5.3.2: sub MUST be the id_token's, or it is somebody else's answer.
    return await oauth.processUserInfoResponse(
      server,
      { client_id },
      sub ?? oauth.skipSubjectCheck,
      response,
    )
  } catch (error) {
    throw refusal(who, 'userinfo is refused', error)
  }
}

/** The request to the token endpoint, and what came of it. */
function tokenExchange({ who, dialect, send }: Party) {
  const done: { json: JsonObject; tokens: PlainTokens }[] = []
  async function load(
    url: string,
    { headers, body }: oauth.CustomFetchOptions<'POST', URLSearchParams>,
  ): Promise<Response> {
    const answered = await send(url, post(headers, body, dialect.jsonBody === true))
    const json = answered.json && (dialect.readToken?.(answered.json) ?? answered.json)
    const answer = readTokenAnswer(answered.status, json, dialect.errors)
    if (answer.outcome === 'error') throw tokenFailure(who, answer.error, answer.error_description)
    if (answer.outcome === 'garbage' || json === undefined) {
      const fault = answer.outcome === 'garbage' ? answer.fault : 'answers without JSON'
      throw answerFailure(who, `the token endpoint ${fault}`, answered.headers, systemClock())
    }
    done.push({ json, tokens: answer.tokens })
    const { access_token, id_token } = answer.tokens
    return Response.json({ access_token, id_token, token_type: 'bearer' })
  }
  function result(): { json: JsonObject; tokens: PlainTokens } {
    const [first] = done
    if (first === undefined) throw new UpstreamError('transient', `${who}: there was no answer`)
    return first
  }
  return { load, result }
}

function post(
  headers: Readonly<{ [name: string]: string }>,
  body: URLSearchParams,
  asJson: boolean,
): { method: 'POST'; headers: { [name: string]: string }; body: string } {
  if (!asJson) return { method: 'POST', headers: { ...headers }, body: body.toString() }
  const json = { ...headers, 'content-type': 'application/json' }
  return { method: 'POST', headers: json, body: JSON.stringify(Object.fromEntries(body)) }
}

/** OpenID Connect Core §3.1.3.7, every rule of it. */
async function verify(
  party: Party,
  response: Response,
  { id_token, access_token }: PlainTokens,
  expectedNonce: string,
): Promise<JsonObject> {
  const { who, client_id, keys } = party
  const issuer = party.issuerOf === undefined ? party.server.issuer : party.issuerOf(id_token ?? '')
  if (issuer === undefined) {
    throw new UpstreamError('permanent', `${who}: the id_token is of no tenant`)
  }
  // The same object while it can be: the package keeps keys by it.
  const server = issuer === party.server.issuer ? party.server : { ...party.server, issuer }
  const client = { client_id }
  try {
    const options = { expectedNonce, requireIdToken: true }
    const result = await oauth.processAuthorizationCodeResponse(server, client, response, options)
    // §3.1.3.7 rule 6 lets TLS stand for the signature. It is checked all the same.
    await oauth.validateApplicationLevelSignature(server, response, {
      ...INSECURE,
      [oauth.jwksCache]: keys.kept,
      [oauth.customFetch]: keys.load,
    })
    const claims = { ...oauth.getValidatedIdTokenClaims(result) }
    const context = { client_id, access_token, now: systemClock() }
    const fault = await judgeIdToken(id_token ?? '', claims, context)
    if (fault === undefined) return claims
    throw new UpstreamError('permanent', `${who}: the id_token is refused: ${fault}`)
  } catch (error) {
    if (error instanceof UpstreamError) throw error
    throw refusal(who, 'the id_token is refused', error)
  }
}

/**
 * RFC 6749 §2.3.1. The Basic form is encoded as a form, but what need not be encoded is left alone:
 * upstreams that never decode then understand the usual `abc-123_x`, too.
 */
function authenticate({ authMethod, client_secret = '' }: Party): oauth.ClientAuth {
  return (_server, { client_id }, body, headers) => {
    if (authMethod === 'client_secret_basic') {
      headers.set('authorization', basicCredentials(client_id, client_secret))
      return
    }
    body.set('client_id', client_id)
    if (authMethod === 'client_secret_post') body.set('client_secret', client_secret)
  }
}

/** The value of an `Authorization` header: RFC 7617, encoded by RFC 6749 §2.3.1. */
export function basicCredentials(client_id: string, client_secret: string): string {
  const [id, secret] = [client_id, client_secret].map((text) =>
    new URLSearchParams({ _: text }).toString().slice(2),
  )
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

function finish(tokens: PlainTokens, token_endpoint: string): UpstreamTokens {
  const { access_token, refresh_token, expires_in, scope } = tokens
  return { access_token, refresh_token, expires_in, scope, token_endpoint }
}

/** What the package has against an answer. Its messages name members and never their values. */
function refusal(who: string, what: string, error: unknown): UpstreamError {
  const why = error instanceof Error ? clean(error.message) : 'for an unknown reason'
  return new UpstreamError('permanent', `${who}: ${what}: ${why}`)
}
