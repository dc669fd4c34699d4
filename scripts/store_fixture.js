/**
 * Writes down what this release stores, and what it has given out, for later releases to be tested with:
 * `npm run build && node scripts/store_fixture.js`, once before each release.
 *
 * `store.sqlite` is the file itself, `records.jsonl` every record for the other engines, `given.json` the
 * key and what clients and browsers hold. The secrets are made up here and open nothing elsewhere.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createMcpOAuth, generateKey } from '../dist/index.js'
import { sqlite } from '../dist/sqlite.js'
import { openProvider } from './open_provider.js'

const ROOT = resolve(import.meta.dirname, '..')
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const DIRECTORY = join(ROOT, 'test/stores/fixtures', version)
const ISSUER = 'https://mcp.example.com'
const RESOURCE = `${ISSUER}/mcp`
const REDIRECT = 'https://client.example/callback'
const NOW = 1_800_000_000
const KINDS = ['client', 'ticket', 'connection', 'grant', 'claim', 'event']
const FORM = 'application/x-www-form-urlencoded'

// A file that is there already belongs to a release.
mkdirSync(join(ROOT, 'test/stores/fixtures'), { recursive: true })
mkdirSync(DIRECTORY)
const key = generateKey()
const file = join(DIRECTORY, 'store.sqlite')
const store = sqlite(file)
const auth = createMcpOAuth({
  issuer: ISSUER,
  resource: RESOURCE,
  scopes: { 'notes:read': 'Read your notes' },
  keys: [key],
  store,
  upstream: openProvider,
  clock: () => NOW,
})

function send(path, form, headers = {}) {
  const body = new URLSearchParams(form)
  const init = { method: 'POST', body, headers: { 'content-type': FORM, ...headers } }
  return auth.fetch(new Request(`${ISSUER}${path}`, init))
}

async function register(token_endpoint_auth_method) {
  const client = { client_name: 'Example', redirect_uris: [REDIRECT], token_endpoint_auth_method }
  const grant_types = ['authorization_code', 'refresh_token']
  const body = JSON.stringify({ ...client, grant_types, response_types: ['code'] })
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body }
  const { client_id, client_secret } = await (
    await auth.fetch(new Request(`${ISSUER}/register`, init))
  ).json()
  return { client_id, client_secret }
}

function cookiesOf(response) {
  const pairs = response.headers.getSetCookie().map((line) => line.split(';')[0])
  return pairs.filter((pair) => !pair.endsWith('=')).join('; ')
}

/** Asks for a sign-in: what the consent page and its browser hold. */
async function ask({ client_id }) {
  const code_verifier = randomBytes(32).toString('base64url')
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
  const request = { response_type: 'code', client_id, redirect_uri: REDIRECT, resource: RESOURCE }
  const query = { ...request, code_challenge, code_challenge_method: 'S256', state: 'a state' }
  const url = `${ISSUER}/authorize?${new URLSearchParams({ ...query, scope: 'notes:read' })}`
  const response = await auth.fetch(new Request(url))
  const page = await response.text()
  const [, ticket] = /name="ticket" value="([^"]*)"/.exec(page)
  const [, csrf] = /name="csrf" value="([^"]*)"/.exec(page)
  return { form: { ticket, csrf, decision: 'approve' }, cookie: cookiesOf(response), code_verifier }
}

/** Approves: what comes back from the provider, and the cookie that it needs. */
async function approve({ form, cookie, code_verifier }, user) {
  const headers = { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' }
  const response = await send('/consent', form, headers)
  const [, state] = /state=([\w-]+)/.exec(
    response.headers.get('location') ?? (await response.text()),
  )
  return {
    callback: `/callback?code=${user}&state=${state}`,
    cookie: cookiesOf(response),
    code_verifier,
  }
}

/** Comes back: the code, and what redeems it. */
async function arrive({ callback, cookie, code_verifier }) {
  const response = await auth.fetch(new Request(`${ISSUER}${callback}`, { headers: { cookie } }))
  const where = response.headers.get('location') ?? (await response.text())
  return { code: /[?&;]code=([\w.-]+)/.exec(where)[1], code_verifier }
}

async function tokens(client, form) {
  const response = await send('/token', { ...client, ...form })
  if (response.status !== 200) throw new Error(await response.text())
  const { access_token, refresh_token } = await response.json()
  return { access_token, refresh_token }
}

const codeOf = async (client, user) => arrive(await approve(await ask(client), user))
const redeem = (client, code) => tokens(client, { grant_type: 'authorization_code', ...code })

const { client_id } = await register('none')
const open = { client_id }
const confidential = await register('client_secret_post')
const first = await redeem(open, await codeOf(open, 'ada'))
const grant_type = 'refresh_token'
const rotated = await tokens(open, { grant_type, refresh_token: first.refresh_token })
const secret = await redeem(confidential, await codeOf(confidential, 'bob'))
const revoked = await redeem(open, await codeOf(open, 'eve'))
await send('/revoke', { client_id, token: revoked.refresh_token })
const dropped = await redeem(open, await codeOf(open, 'eva'))
await send('/revoke', { client_id, token: dropped.access_token })
const given = {
  issuer: ISSUER,
  resource: RESOURCE,
  now: NOW,
  key,
  clients: { open, confidential },
  rotated: { before: first.refresh_token, ...rotated },
  secret,
  revoked,
  dropped,
  code: await codeOf(open, 'cleo'),
  consent: await ask(open),
  callback: await approve(await ask(open), 'dora'),
}

const lines = []
for (const kind of KINDS) {
  const { rows } = await store.scan(kind, { limit: 1000 })
  for (const { record, version: at } of rows)
    lines.push(JSON.stringify({ kind, version: at, record }))
}
await auth.close()
for (const more of ['-wal', '-shm']) rmSync(`${file}${more}`, { force: true })
writeFileSync(join(DIRECTORY, 'records.jsonl'), `${lines.join('\n')}\n`)
writeFileSync(join(DIRECTORY, 'given.json'), `${JSON.stringify(given, null, 2)}\n`)
process.stdout.write(`${lines.length} records of ${version}\n`)
