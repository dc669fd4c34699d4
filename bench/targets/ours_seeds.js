/**
 * Sign-ins for the load: one is made as a client makes it, and copied into the store under ids of its own,
 * with tokens that the keys of the server sign. So a million of them take minutes, and not hours.
 */
import { createHash, randomBytes } from 'node:crypto'
import { DIST } from './dist.js'
import { consentTo } from './user.js'

const REDIRECT = 'https://client.example/callback'
/** So many are written at once, and so many at most are told of. */
const AT_ONCE = 500
const MAX_TOLD = 200_000
const MONTH = 30 * 86_400

export function createSeeds({ auth, store, keys, settings }) {
  return async (count, tokensEach = settings.tokensEach ?? 1) => {
    const tools = await loadTools(keys)
    const pattern = await makePattern(auth, store)
    const seats = []
    const step = Math.max(1, Math.floor(count / MAX_TOLD))
    for (let written = 0; written < count; written += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - written) }, (_, at) =>
        copyOf(pattern, tools, MONTH * (1 - (written + at) / count), tokensEach),
      )
      const added = await Promise.all(some.map(({ grant }) => store.insert('grant', grant)))
      if (!added.every(Boolean)) throw new Error('an id came twice')
      seats.push(...some.filter((_, at) => (written + at) % step === 0).map(({ seat }) => seat))
    }
    return seats
  }
}

async function loadTools(keys) {
  const inside = (path) => import(`${DIST}/${path}.js`)
  const { createKeyring } = await inside('crypto/keyring')
  const { randomId } = await inside('crypto/random')
  const { makeAccessToken } = await inside('server/tokens/access_token')
  const { makeRefreshToken } = await inside('server/tokens/refresh_token')
  return { keys: createKeyring(keys), randomId, makeAccessToken, makeRefreshToken }
}

/** A grant after its first refresh, and the client that has it. */
async function makePattern(auth, store) {
  const { resources } = auth.config
  const client = {
    client_name: 'Benchmark',
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
  }
  const registered = await askJson(auth, '/register', 'application/json', JSON.stringify(client))
  const { client_id } = registered
  const code_verifier = randomBytes(32).toString('base64url')
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
  const query = { response_type: 'code', client_id, redirect_uri: REDIRECT, code_challenge }
  const more = { code_challenge_method: 'S256', scope: 'notes:read', state: 'state' }
  const asked = new URLSearchParams({ ...query, ...more, resource: resources[0].resource })
  const request = { path: '/authorize', query: String(asked), remoteAddress: '127.0.0.1' }
  const code = new URL(await consentTo(auth, request)).searchParams.get('code')
  const ask = (form) =>
    askJson(auth, '/token', 'application/x-www-form-urlencoded', String(new URLSearchParams(form)))
  const first = await ask({ grant_type: 'authorization_code', client_id, code, code_verifier })
  const { refresh_token } = first
  await ask({ grant_type: 'refresh_token', client_id, refresh_token })
  const { rows } = await store.list('grant', 'client_id', client_id, { limit: 100 })
  return { client_id, grant: rows.at(-1).record }
}

async function askJson(auth, path, type, body) {
  const request = { method: 'POST', path, query: '', remoteAddress: '127.0.0.1' }
  const readBody = async () => Buffer.from(body)
  const answer = await auth.handle({ ...request, rawHeaders: ['Content-Type', type], readBody })
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.body}`)
  return JSON.parse(answer.body)
}

/** Somebody else's sign-in, `age` seconds older, and the tokens of its client. */
function copyOf({ grant, client_id }, tools, age, tokensEach) {
  const { keys, randomId, makeAccessToken, makeRefreshToken } = tools
  const id = randomId(grant.createdAt - Math.floor(age))
  const { generation, previous } = grant.refresh
  const jti = anew(grant.refresh.jti)
  const refresh_token = makeRefreshToken(keys, id, generation, jti)
  const kept = { ...previous, jti: anew(previous.jti) }
  const scope = grant.scope.join(' ')
  const exp = grant.createdAt + 86_400
  const { resource } = grant
  const access_tokens = Array.from({ length: tokensEach }, () =>
    makeAccessToken(keys, { grantId: id, exp, resource, scope }),
  )
  const [access_token] = access_tokens
  const more = tokensEach > 1 ? { access_tokens } : {}
  return {
    grant: {
      ...grant,
      id,
      subject: anew(grant.subject),
      user: { ...grant.user, sub: anew(grant.user.sub) },
      refresh: { ...grant.refresh, jti, previous: kept },
    },
    seat: { client_id, access_token, refresh_token, ...more },
  }
}

/** A random text of the same length, as of as many bytes. */
function anew(text) {
  return randomBytes(Math.floor((text.length * 3) / 4)).toString('base64url')
}
