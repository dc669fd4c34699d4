/**
 * The store is down: in every framework a call is answered with 503, whatever that framework makes of errors.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import express4 from 'express-4'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { protectExpress } from '../../src/adapters/express.ts'
import { protectFastify, protectFastifyRoute } from '../../src/adapters/fastify.ts'
import { protectHono } from '../../src/adapters/hono.ts'
import { protectNode } from '../../src/adapters/node.ts'
import type { McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { StoreUnavailable } from '../../src/stores/store.ts'
import { failingStore } from '../grants/failing_store.ts'
import { call, signIn } from '../support/flow.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Mount = (auth: McpOAuth) => RequestListener | Promise<RequestListener>

const FRAMEWORKS: { readonly [name: string]: Mount } = {
  'node:http': (auth) => protectNode(auth, (_, res) => res.end('passed')),
  'Express 4': (auth) =>
    express4().use('/mcp', protectExpress(auth), (_, res) => void res.send('passed')),
  'Express 5': (auth) =>
    express().use('/mcp', protectExpress(auth), (_, res) => void res.send('passed')),
  Hono: (auth) =>
    getRequestListener(new Hono().all('/mcp', protectHono(auth), (c) => c.text('passed')).fetch),
  'Hono, over auth.protect': (auth) => {
    const guarded = auth.protect(() => new Response('passed'))
    return getRequestListener(new Hono().all('/mcp', (c) => guarded(c.req.raw)).fetch)
  },
  async Fastify(auth) {
    const app = fastify()
    app.register(protectFastify(auth, '/mcp', () => 'passed'))
    await app.ready()
    return (req, res) => app.routing(req, res)
  },
  async 'Fastify, before a route of its own'(auth) {
    const app = fastify()
    app.register(protectFastifyRoute(auth, '/mcp'))
    app.post('/mcp', () => 'passed')
    await app.ready()
    return (req, res) => app.routing(req, res)
  },
}

let server: TestServer
let down = false

beforeEach(async () => {
  down = false
  server = await startServer({ store: failingStore(memory(), () => down) })
})
afterEach(() => server.close())

it.each(Object.entries(FRAMEWORKS))('%s', async (_name, mount) => {
  const { tokens } = await signIn(server)
  const framework = createServer(await mount(server.auth)).listen(0, '127.0.0.1')
  await once(framework, 'listening')
  const resource = `http://127.0.0.1:${(framework.address() as AddressInfo).port}/mcp`
  const before = await call({ resource }, tokens.access_token)
  expect([before.status, await before.text()]).toEqual([200, 'passed'])
  server.advance(2)
  down = true
  const answer = await call({ resource }, tokens.access_token)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
  expect(answer.headers.has('www-authenticate')).toBe(false)
  expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
  const told = server.events.filter(({ type }) => type === 'store_failed')
  expect(told.map(({ about }) => about)).toEqual([server.resource])
  framework.close()
})

it('upstreamToken and verifyToken tell of it too, as their callers may not', async () => {
  const { tokens } = await signIn(server)
  const authInfo = await server.auth.verifyToken(undefined, tokens.access_token)
  server.advance(2)
  down = true
  await expect(server.auth.upstreamToken(authInfo)).rejects.toThrow(StoreUnavailable)
  await expect(server.auth.verifyToken(undefined, tokens.access_token)).rejects.toThrow(
    StoreUnavailable,
  )
  const told = server.events.filter(({ type }) => type === 'store_failed')
  expect(told.map(({ about }) => about)).toEqual(['upstreamToken', server.resource])
})
