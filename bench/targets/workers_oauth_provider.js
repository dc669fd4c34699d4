/**
 * @cloudflare/workers-oauth-provider on Node, with its KV in memory. Requests come to it with the https
 * origin of a Worker; the edge to node:http is part of what is measured, as it has no other way to run here.
 */
import { register } from 'node:module'
import { serveFetch } from './fetch_edge.js'
import { createKv } from './workers_kv.js'
import { answerOf } from './tool.js'

const STUB = 'data:text/javascript,export class WorkerEntrypoint {}; export const env = {}'
const HOOKS = `export const resolve = (name, context, next) => name === 'cloudflare:workers'
  ? { url: ${JSON.stringify(STUB)}, shortCircuit: true } : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`)
const { OAuthProvider } = await import('@cloudflare/workers-oauth-provider')

const ORIGIN = 'https://mcp.example.com'
const CONTEXT = { waitUntil: (work) => void work.catch(() => {}), passThroughOnException() {} }

let users = 0

export function start({ server }) {
  const env = { OAUTH_KV: createKv() }
  const provider = new OAuthProvider({
    apiRoute: '/mcp',
    apiHandler: { fetch: answer },
    defaultHandler: { fetch: (request, own) => pages(request, own) },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    clientRegistrationEndpoint: '/register',
    scopesSupported: ['notes:read'],
    resourceMetadata: { resource: `${ORIGIN}/mcp`, authorization_servers: [ORIGIN] },
  })
  serveFetch(server, ORIGIN, (request) => provider.fetch(request, env, { ...CONTEXT }))
  const paths = { token: '/token', register: '/register', authorize: '/authorize', mcp: '/mcp' }
  const place = { paths: { ...paths, open: '/open' }, resource: `${ORIGIN}/mcp`, signIn: 'plain' }
  return { place }
}

async function pages(request, { OAUTH_PROVIDER: helpers }) {
  const { pathname } = new URL(request.url)
  if (pathname === '/open') return answer(request)
  const asked = await helpers.parseAuthRequest(request).catch(String)
  if (typeof asked === 'string') return new Response(asked, { status: 400 })
  users += 1
  const { redirectTo } = await helpers.completeAuthorization({
    request: asked,
    userId: `u${users}`,
    metadata: {},
    scope: asked.scope,
    props: { name: 'Ada' },
  })
  return Response.redirect(redirectTo, 302)
}

async function answer(request) {
  const body = answerOf(await request.json())
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}
