/**
 * W2: a whole sign-in. Register, authorize, whatever the server asks of its user on the way, code, token,
 * and one guarded call. Each time as another client; the seat only brings what a user has before.
 */
import { createHash } from 'node:crypto'
import { get, postForm, postJson } from '../load/request.js'
import { expect, expectJson } from '../load/wrong_answer.js'
import { call } from './call.js'
import { takeTokens } from './refresh.js'
import { WAYS } from './ways.js'

const REDIRECT = 'https://client.example/callback'
const VERIFIER = 'a-code-verifier-that-is-long-enough-for-rfc-7636'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

let clients = 0

/** The seat has the tokens afterwards. */
export function* signIn(user, place) {
  const { cookie } = user
  clients += 1
  const state = `state${clients}`
  const client = yield* register(place, `Benchmark ${clients}`)
  const browser = { place, cookies: new Map(cookie === undefined ? [] : [cookie.split('=')]) }
  const query = authorizationQuery(place, client, state)
  const location = yield* WAYS[place.signIn](browser, `${place.paths.authorize}?${query}`, REDIRECT)
  const back = new URL(location).searchParams
  const isBack = location.startsWith(REDIRECT) && back.get('state') === state && back.has('code')
  expect(isBack, `the way does not lead back: ${location}`, { status: 0, head: '', body: '' })
  const seat = { ...client }
  yield* redeem(seat, place, back.get('code'))
  yield* call(seat, place)
  Object.assign(user, seat)
}

function* register(place, client_name) {
  const metadata = {
    client_name,
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  const answer = yield postJson(place, place.paths.register, JSON.stringify(metadata))
  expect(answer.status === 200 || answer.status === 201, 'a registration is refused', answer)
  const { client_id, client_secret } = expectJson(answer.status, 'a registration', answer)
  expect(client_id?.length > 0, 'a registration brings no client_id', answer)
  return client_secret === undefined ? { client_id } : { client_id, client_secret }
}

function authorizationQuery({ resource, scope = 'notes:read' }, { client_id }, state) {
  const request = { response_type: 'code', client_id, redirect_uri: REDIRECT, state, scope }
  const pkce = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
  return new URLSearchParams({ ...request, ...pkce, ...(resource !== undefined && { resource }) })
}

function* redeem(seat, place, code) {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: seat.client_id,
    ...(seat.client_secret !== undefined && { client_secret: seat.client_secret }),
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...(place.resource !== undefined && { resource: place.resource }),
  })
  takeTokens(seat, yield postForm(place, place.paths.token, String(form)), 'the answer to a code')
}

/** A code is good once. Of servers that say no twice the second is not asked. */
export function* codeProbe(seat, place) {
  const form = `grant_type=authorization_code&client_id=nobody&code=forged&code_verifier=${VERIFIER}`
  const answer = yield postForm(place, place.paths.token, form)
  expect(answer.status >= 400 && answer.status < 500, 'a forged code is not refused', answer)
  const page = yield get(place, `${place.paths.authorize}?response_type=code&client_id=nobody`)
  const leadsAway = page.head.includes('client.example')
  expect(!leadsAway, 'an unknown client is sent back', page)
}
