#!/usr/bin/env node
/**
 * Signs in at an MCP server as a client does, and says what each step found. Needs Node 20 and nothing else.
 *
 *   node sign_in.mjs <url of the MCP endpoint> [--tool <name>]
 *
 * It prints a URL for a person to open in a browser, and waits ten minutes for them to come back. What it
 * got it revokes at the end. No token and no code is ever printed. Status 0: everything was as it must be.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

const WAIT = 10 * 60 * 1000
const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'sign-in-check', version: '1.0.0' },
}
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tool: { type: 'string' } },
})
const [resource] = positionals
if (resource === undefined || !URL.canParse(resource)) {
  console.error('name the MCP endpoint, such as http://localhost:3000/mcp')
  process.exit(2)
}

try {
  await main(resource, values.tool)
  console.log('The sign-in works.')
} catch (error) {
  console.error(legible(`FAILED ${error.message}`))
  process.exitCode = 1
}

async function main(url, tool) {
  const server = await discover(url)
  const listener = await listen()
  try {
    const client = await register(server, listener.redirect_uri)
    await refuseForeignRedirect(server, client)
    const tokens = await authorize(server, client, listener)
    await callTools(url, tokens.access_token, tool)
    await refreshAndRevoke(url, server, client, tokens)
  } finally {
    listener.close()
  }
}

/** MCP, Authorization Server Location: the challenge, and the two documents behind it. */
async function discover(url) {
  const answer = await callMcp(url, undefined, 'initialize', HELLO)
  check(answer.status === 401, 'a call without a token is refused: 401', answer.status)
  const challenge = answer.headers.get('www-authenticate') ?? ''
  const [, metadata] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
  check(metadata !== undefined, 'the 401 says where the resource metadata is')
  const forged = await callMcp(url, 'forged', 'initialize', HELLO)
  check(forged.status === 401, 'a forged token is refused: 401', forged.status)

  const { resource: told, authorization_servers: [issuer] = [] } = await getJson(metadata)
  check(told === url, `the resource is ${told}: give clients this URL to the letter`)
  check(issuer !== undefined, `the authorization server is ${issuer}`)
  const { origin, pathname } = new URL(issuer)
  const path = pathname === '/' ? '' : pathname
  const server = await getJson(`${origin}/.well-known/oauth-authorization-server${path}`)
  check(server.issuer === issuer, `its metadata names the same issuer: ${server.issuer}`)
  const methods = server.code_challenge_methods_supported
  check(methods?.join() === 'S256', 'PKCE with S256 is required')
  return server
}

async function register(server, redirect_uri) {
  const { status, json } = await send(server.registration_endpoint, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Sign-in check',
      redirect_uris: [redirect_uri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }),
  })
  check(status === 201, 'a client may register: 201', status)
  return { client_id: json.client_id, redirect_uri }
}

async function refuseForeignRedirect(server, client) {
  const foreign = { ...client, redirect_uri: 'https://attacker.example/callback' }
  const { url } = authorizationUrl(server, foreign)
  const { status } = await fetch(url, { redirect: 'manual' })
  check(status === 400, 'a redirect URI that is not registered is a page: 400', status)
}

async function authorize(server, client, listener) {
  const { url, state, verifier } = authorizationUrl(server, client)
  console.log(`\nOpen this in a browser, and sign in:\n\n  ${legible(url)}\n`)
  const callback = await listener.arrived
  const { error, error_description, code, iss, ...rest } = Object.fromEntries(callback.searchParams)
  const refusal = `${error} (${error_description})`
  check(error === undefined, 'the sign-in came back with a code', refusal)
  check(rest.state === state, 'with the state that was sent')
  check(iss === server.issuer, 'and with the issuer (RFC 9207)')
  const grant = { grant_type: 'authorization_code', code, resource, ...client }
  const stolen = await post(server.token_endpoint, { ...grant, code_verifier: random() })
  check(stolen.json?.error === 'invalid_grant', 'the code is worth nothing without its verifier')
  const { status, json } = await post(server.token_endpoint, { ...grant, code_verifier: verifier })
  check(status === 200, 'the code is exchanged for tokens: 200', `${status} ${json?.error ?? ''}`)
  return json
}

async function callTools(url, token, tool) {
  const hello = await callMcp(url, token, 'initialize', HELLO)
  check(hello.status === 200, 'initialize with the token: 200', hello.status)
  await hello.text()
  const session = hello.headers.get('mcp-session-id') ?? undefined
  const tools = await resultOf(await callMcp(url, token, 'tools/list', {}, session))
  const names = tools.result?.tools?.map(({ name }) => name)
  check(names !== undefined, `tools/list: ${names?.join(', ')}`)
  if (tool === undefined) return
  const params = { name: tool, arguments: {} }
  const { result, error } = await resultOf(await callMcp(url, token, 'tools/call', params, session))
  const told = result?.content?.find(({ type }) => type === 'text')?.text ?? error?.message
  check(result !== undefined && result.isError !== true, `${tool} answers: ${told}`)
}

async function refreshAndRevoke(url, server, { client_id }, { refresh_token, access_token }) {
  const grant = { grant_type: 'refresh_token', refresh_token, client_id }
  const { status, json } = await post(server.token_endpoint, grant)
  check(status === 200, 'the tokens are refreshed: 200', status)
  check(json.refresh_token !== refresh_token, 'and the refresh token is another one')
  const revoked = await post(server.revocation_endpoint, { token: json.refresh_token, client_id })
  check(revoked.status === 200, 'they are revoked: 200', revoked.status)
  for (const token of [access_token, json.access_token]) {
    const after = await callMcp(url, token, 'initialize', HELLO)
    check(after.status === 401, 'after that no token holds: 401', after.status)
  }
}

function authorizationUrl(server, { client_id, redirect_uri }) {
  const [state, verifier] = [random(), random()]
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id,
    redirect_uri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return { url: url.href, state, verifier }
}

/** RFC 8252 §7.3: a free port of the loopback address. */
async function listen() {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const redirect_uri = `http://127.0.0.1:${listener.address().port}/callback`
  const arrived = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('nobody came back within ten minutes')), WAIT).unref()
    listener.on('request', (req, res) => {
      const url = new URL(req.url ?? '/', redirect_uri)
      res.writeHead(200, { 'content-type': 'text/plain' }).end('You can close this window.')
      if (url.pathname === '/callback') resolve(url)
    })
  })
  arrived.catch(() => {})
  return { redirect_uri, arrived, close: () => (listener.closeAllConnections(), listener.close()) }
}

function callMcp(url, token, method, params, session) {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(method !== 'initialize' && { 'mcp-protocol-version': HELLO.protocolVersion }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(session !== undefined && { 'mcp-session-id': session }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
}

/** The one message of an answer, which may be an event stream. */
async function resultOf(answer) {
  const text = await answer.text()
  const data = text.split('\n').find((line) => line.startsWith('data: {'))
  return JSON.parse(data?.slice(6) ?? text)
}

async function getJson(url) {
  const answer = await fetch(url)
  check(answer.status === 200, `${url} answers: 200`, answer.status)
  return await answer.json()
}

function post(url, form) {
  return send(url, { body: new URLSearchParams(form) })
}

async function send(url, init) {
  const answer = await fetch(url, { method: 'POST', ...init })
  const text = await answer.text()
  return { status: answer.status, json: text.startsWith('{') ? JSON.parse(text) : undefined }
}

function random() {
  return randomBytes(32).toString('base64url')
}

function check(holds, sentence, got) {
  if (!holds) throw new Error(got === undefined ? sentence : `${sentence}; it was ${got}`)
  console.log(legible(`ok     ${sentence}`))
}

/** What the server says may be a command to the terminal, or a line that looks like one of ours. */
function legible(text) {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\ufffd')
}
