/**
 * A stolen store: a whole flow is walked, and every byte that the engine has on its disk is searched for
 * every secret that went over the wire, before the code is redeemed and after all. Then each text that is
 * stored is presented wherever a secret is taken.
 */
import { openStore } from '../src/gateway/open_store.ts'
import { KINDS } from '../src/stores/records.ts'
import type { Store } from '../src/stores/store.ts'
import { fieldOf } from '../test/support/agent.ts'
import {
  authorizeUrl,
  call,
  pkce,
  post,
  redeem,
  refresh,
  register,
  toForm,
  type TestClient,
  type Tokens,
} from '../test/support/flow.ts'
import { createAgent } from '../test/support/agent.ts'
import type { TestOidcProvider } from '../test/support/oidc_provider.ts'
import type { Ground } from './ground.ts'
import type { Finding } from './finding.ts'
import { withProvider, type Pair } from './pair.ts'
import type { Replica } from './replica.ts'

const LIFETIME = 600
/** Shorter ones stand everywhere by chance. */
const MIN_SECRET = 16
/**
 * What is no secret. The upstream's `state` is the id of its ticket: without the cookie of the browser
 * that began, of which only a hash is kept, the callback refuses it.
 */
const OPEN = new Set(['client_id', 'redirect_uri', 'scope', 'response_type', 'iss', 'state'])

export async function stolenStore(ground: Ground, _: number, finding: Finding): Promise<void> {
  await withProvider(ground, LIFETIME, async (pair, provider) => {
    const secrets = new Map<string, string>()
    const walked = await walk(pair, provider, secrets, () => search(ground, secrets, finding))
    await search(ground, secrets, finding)
    await presentAll(ground, pair.replicas[0], walked, finding)
  })
}

interface Walked {
  readonly client: TestClient
  readonly tokens: Tokens
}

/** Keeps every secret by what it is. `midway` is called while a code waits for its client. */
async function walk(
  { replicas: [server], keys }: Pair,
  provider: TestOidcProvider,
  secrets: Map<string, string>,
  midway: () => Promise<void>,
): Promise<Walked> {
  const keep = (what: string, value: unknown): void => {
    if (typeof value === 'string' && value.length >= MIN_SECRET) secrets.set(value, what)
  }
  keep('the key', keys[0])
  keep('the secret at the upstream', provider.client_secret)
  const client = await register(server, { token_endpoint_auth_method: 'client_secret_post' })
  keep('the client secret', client.client_secret)
  const agent = createAgent()
  const { verifier, challenge } = pkce()
  keep('the PKCE verifier', verifier)
  const page = await agent.get(authorizeUrl(server, client, challenge))
  const form = { ticket: fieldOf(page, 'ticket'), csrf: fieldOf(page, 'csrf'), decision: 'approve' }
  keep('the CSRF value', form.csrf)
  for (const [name, value] of agent.jar) keep(`the cookie ${name}`, value)
  const departed = await agent.post(`${server.issuer}/consent`, form)
  for (const [name, value] of agent.jar) keep(`the cookie ${name}`, value)
  keepQuery(departed.leadsTo, keep)
  await midway()
  const callback = await provider.signIn(departed.leadsTo ?? '', 'ada')
  keepQuery(callback, keep)
  const location = (await agent.get(callback)).leadsTo ?? ''
  const code = new URL(location).searchParams.get('code') ?? ''
  keep('the code', code)
  await midway()
  const redeemed = await redeem(server, { code, verifier, client, location })
  const first = redeemed.body as unknown as Tokens
  const tokens = (await refresh(server, client, first.refresh_token)).body as unknown as Tokens
  for (const { access_token, refresh_token } of [first, tokens]) {
    keep('an access token', access_token)
    keep('a refresh token', refresh_token)
  }
  const used = await call(server.endpoint, tokens.access_token)
  keep("the upstream's access token", Reflect.get((await used.json()) as object, 'token'))
  return { client, tokens }
}

function keepQuery(url: string | undefined, keep: (what: string, value: string) => void): void {
  for (const [name, value] of new URL(url ?? '').searchParams) {
    if (!OPEN.has(name)) keep(`${name} of the upstream leg`, value)
  }
}

/** As it stands, as its bytes, and as base64 and percent-encoding would spell it. */
async function search(
  ground: Ground,
  secrets: ReadonlyMap<string, string>,
  finding: Finding,
): Promise<void> {
  const files = await ground.bytes()
  for (const [secret, what] of secrets) {
    const spelled = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('hex'),
    ]
    const isThere = spelled.some((text) => files.some((bytes) => bytes.includes(text)))
    finding.promise(!isThere, `${what} is in the store`)
  }
  finding.count('secrets sought', secrets.size)
  finding.count(
    'bytes',
    files.reduce((sum, { length }) => sum + length, 0),
  )
}

async function presentAll(
  ground: Ground,
  replica: Replica,
  { client, tokens }: Walked,
  finding: Finding,
): Promise<void> {
  const { store, close } = await openStore(ground.store.text, {
    ...process.env,
    ...ground.store.environment,
  })
  const texts = await storedTexts(store)
  await close()
  for (const text of texts) await present(replica, client, text, finding)
  // What was presented has ended nobody's sign-in either.
  const { status } = await call(replica.endpoint, tokens.access_token)
  finding.promise(status === 200, `the sign-in was ended by a stored text: ${status}`)
  finding.count('texts presented', texts.size)
}

async function storedTexts(store: Store): Promise<ReadonlySet<string>> {
  const texts = new Set<string>()
  for (const kind of KINDS) {
    let cursor: string | undefined
    do {
      const page = await store.scan(kind, { limit: 1000, cursor })
      for (const { record } of page.rows) JSON.stringify(record, (_, value) => collect(value))
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  return texts

  function collect(value: unknown): unknown {
    if (typeof value === 'string' && value !== '') texts.add(value)
    return value
  }
}

async function present(
  replica: Replica,
  client: TestClient,
  text: string,
  finding: Finding,
): Promise<void> {
  const headers = /^[\x21-\x7e]+$/.test(text) ? text : encodeURIComponent(text)
  const { status: passed } = await call(replica.endpoint, headers)
  const { client_id, client_secret = '' } = client
  const own = { client_id, client_secret }
  const refreshed = await refresh(replica, client, text)
  const redeemed = await redeem(replica, { code: text, verifier: text, client, location: '' })
  const authenticated = await post(replica, '/token', {
    grant_type: 'refresh_token',
    refresh_token: text,
    client_id,
    client_secret: text,
  })
  const revoked = await post(replica, '/revoke', { token: text, ...own })
  const approved = await post(replica, '/consent', {
    ticket: text,
    csrf: text,
    decision: 'approve',
  })
  const query = toForm({ state: text, code: text }).toString()
  const called = await fetch(`${replica.issuer}/callback?${query}`, { redirect: 'manual' })
  await called.arrayBuffer()
  const seen = {
    'a bearer token': passed === 401,
    'a refresh token': refreshed.status === 400,
    'a code': redeemed.status === 400,
    'a client secret': authenticated.status === 401,
    'a token to revoke': revoked.status === 200,
    'a consent': approved.status >= 400,
    'the upstream state': called.status >= 400,
  }
  for (const [what, isRefused] of Object.entries(seen)) {
    finding.promise(isRefused, `a stored text was taken for ${what}`)
  }
}
