/** The worst that init can do: say that all is guarded where something is not. */
import { describe, expect, it } from 'vitest'
import {
  fileAfter,
  filesOf,
  manifestText,
  planOf,
  type PlanOptions,
  type Texts,
} from './support.ts'

const IMPORTS: Texts = {
  express: `import express from 'express';\nconst app = express();\n`,
  hono: `import { Hono } from 'hono';\nconst app = new Hono();\n`,
  fastify: `import Fastify from 'fastify';\nconst app = Fastify();\n`,
}

function wired(framework: string, lines: string, options: PlanOptions = {}) {
  const files = filesOf({
    'package.json': manifestText({ [framework]: '1' }),
    'index.js': `${IMPORTS[framework]}${lines}`,
  })
  const plan = planOf(files, options)
  return { text: fileAfter(files, plan, 'index.js'), plan, left: plan.left.flat().join('\n') }
}

/** What a second run says, which is given no flag. */
function saidAgain(framework: string, text: string, options: PlanOptions = {}): readonly string[] {
  const files = filesOf({
    'package.json': manifestText({ [framework]: '1' }),
    'index.js': text,
  })
  const { left, writes } = planOf(files, options)
  expect(writes.map(({ path }) => path)).not.toContain('index.js')
  return left.flat().filter((line) => /^(?:Line|No guard) /.test(line))
}

function linesOf(left: string): readonly string[] {
  return left.split('\n').filter((line) => line.startsWith('Line '))
}

describe('a second way to MCP', () => {
  it.each<[string, string, string, string]>([
    [
      'the same handler at another path',
      'express',
      `app.post('/mcp', serve);\napp.post('/rpc', limit, serve);\n`,
      `app.use('/rpc', protectExpress(auth));`,
    ],
    [
      'a path below, where a middleware takes the one path only',
      'hono',
      `app.all('/mcp', serve);\napp.get('/mcp/sse', sse);\n`,
      `app.use('/mcp/*', protectHono(auth));`,
    ],
  ])('%s is guarded', (_, framework, lines, expected) => {
    expect(wired(framework, lines).text).toContain(expected)
  })

  it.each<[string, string, string, number]>([
    ['a list of paths', 'express', `app.use('/mcp', json);\napp.post(['/mcp', '/x'], serve);\n`, 8],
    [
      'a router',
      'express',
      `const v2 = express.Router();\nv2.post('/mcp', serve);\napp.use('/v2', v2);\napp.post('/mcp', serve);\n`,
      8,
    ],
    [
      'a router with a path of another name',
      'express',
      `v2.post('/rpc', serve);\napp.post('/mcp', serve);\n`,
      7,
    ],
    [
      'a transport at every path',
      'express',
      `app.use((req, res) => transport.handleRequest(req, res));\napp.post('/mcp', serve);\n`,
      7,
    ],
    [
      'a path of the environment',
      'express',
      `app.post('/mcp', serve);\napp.post(process.env.RPC, serve);\n`,
      8,
    ],
    [
      'a computed method',
      'express',
      `for (const m of ['get', 'post']) app[m]('/rpc', serve);\napp.post('/mcp', serve);\n`,
      7,
    ],
    [
      'a regular expression',
      'express',
      `app.post('/mcp', serve);\napp.post(/^.(?:rpc|x)$/, serve);\n`,
      8,
    ],
    [
      'an app below a base path',
      'hono',
      `const api = new Hono().basePath('/api');\napi.all('/mcp', serve);\napp.route('/', api);\napp.all('/mcp', serve);\n`,
      8,
    ],
    [
      'a plugin with a prefix',
      'fastify',
      `app.post('/mcp', serve);\napp.register(async (v2) => {\n  v2.post('/mcp', serve);\n}, { prefix: '/v2' });\n`,
      9,
    ],
    [
      'an app that is made in another branch',
      'express',
      `let dev;\nif (x) { dev = express(); dev.post('/mcp', serve); }\napp.post('/mcp', serve);\n`,
      8,
    ],
  ])('%s is told, with its line', (_, framework, lines, line) => {
    const { left, text } = wired(framework, lines)
    expect(left).toContain(`Line ${line} gives MCP to a path that is not certain`)
    expect(text.split('\n')[line - 1]).toMatch(/serve|handleRequest/)
    expect(saidAgain(framework, text)).toEqual(linesOf(left))
  })

  it('an app of which nobody can tell keeps another one from being taken for it', () => {
    const files = filesOf({
      'package.json': manifestText({ express: '5.3.0' }),
      'dev.js': `${IMPORTS['express']}app.post('/mcp', serve);\n`,
      'index.js': `import { PATH } from './mcp.js';\n${IMPORTS['express']}app.post(PATH, serve);\n`,
    })
    const plan = planOf(files)
    expect(plan.writes.map(({ path }) => path)).not.toContain('dev.js')
    expect(plan.left.flat().join('\n')).toContain('was not found for certain (--entry <file>')
    expect(
      fileAfter(files, planOf(files, { entry: 'index.js', resourcePath: '/mcp' }), 'index.js'),
    ).toContain('protectExpress')
  })

  it('an app whose name is given to another one is left to people', () => {
    const { text, left } = wired(
      'express',
      `app.get('/', home);\napp = express();\napp.post('/mcp', serve);\n`,
    )
    expect(text).not.toContain('protectExpress')
    expect(left).toContain(`app.use('/mcp', protectExpress(auth));`)
  })

  it.each([
    `app.get('/users', list);\napp.post('/mcp', serve);\nconst user = users.get(id, other);\n`,
    `app.post('/mcp', (req, res) => {\n  res.on('close', () => transport.close());\n  transport.handleRequest(req, res);\n});\n`,
    `const api = express.Router();\napi.get('/users', list);\napp.use('/api', api);\napp.all('/mcp', serve);\n`,
    `app.use(express.json());\napp.use(cors());\napp.post('/mcp', serve);\nprocess.on('SIGINT', stop);\n`,
  ])('what has nothing to do with MCP is not told: %j', (lines) => {
    expect(wired('express', lines).left).toBe('')
  })

  it.each<[string, string, string]>([
    ['a quote', 'express', `app.post("/it's/messages", post);`],
    ['a quote, before what answers MCP', 'hono', `app.post("/it's", serve);`],
    ['a quote of the other kind', 'fastify', `app.post('/a"b/sse', post);`],
    ['a line end', 'express', 'app.post(`/a\nb/mcp`, post);'],
  ])('a path with %s in it is put into no code, and is told', (_, framework, line) => {
    const { text, left } = wired(framework, `app.all('/mcp', serve);\n${line}\n`)
    expect(text).toContain(line)
    expect(text.split('protect')).toHaveLength(3)
    const [, path = ''] = /(["'`].*["'`])/s.exec(line) ?? []
    const said = JSON.stringify(path.slice(1, -1))
    expect(left).toContain(`Line 8 answers MCP at ${said}, and has no guard: put one there, too`)
    expect(saidAgain(framework, text)).toEqual(linesOf(left))
  })

  it('a path with an escape in it is told', () => {
    const { left } = wired('express', `app.all('/mcp', serve);\napp.post('/it\\'s/sse', post);\n`)
    expect(left).toContain('Line 8 gives MCP to a path that is not certain')
  })
})

describe('the path is said, and more than that leads to MCP', () => {
  it.each<[string, string, string]>([
    ['a wildcard', 'express', `app.all('/*rest', serve);`],
    ['a parameter', 'express', `app.post('/:x', serve);`],
    ['a parameter', 'fastify', `app.post('/:x', serve);`],
    ['a wildcard', 'fastify', `app.route({ method: 'POST', url: '/*', handler: serve });`],
    ['a wildcard', 'hono', `app.all('/*', (c) => handler.fetch(c.req.raw));`],
    ['a method by its name', 'hono', `app.on('POST', '/:x', (c) => handler.fetch(c.req.raw));`],
    ['the path as the begin of another', 'express', `app.all('/mcp*rest', serve);`],
    ['another case', 'express', `app.all('/MCP:x', serve);`],
  ])('%s is told: %s, %s', (_, framework, line) => {
    const { text, left } = wired(framework, `${line}\n`, { resourcePath: '/mcp' })
    expect(text).toContain(`'/mcp`)
    const [, path = ''] = /'(\/.*?)'/.exec(line) ?? []
    expect(left).toContain(`Line 7 answers at "${path}", of which /mcp alone is guarded`)
    expect(saidAgain(framework, text)).toEqual(linesOf(left))
    expect(saidAgain(framework, text, { resourcePath: '/mcp' })).toEqual(linesOf(left))
  })

  it.each<[string, string, string]>([
    ['a star alone', 'hono', `app.all('*', (c) => transport.handleRequest(c));`],
    ['no path', 'express', `app.use((q, s) => transport.handleRequest(q, s));`],
    ['a list', 'express', `app.post(['/mcp', '/x'], (q, s) => transport.handleRequest(q, s));`],
    ['an expression', 'express', `app.post(/^.mcp/, (q, s) => transport.handleRequest(q, s));`],
    [
      'the wildcard of a router',
      'express',
      `router.all('/*rest', (q, s) => transport.handleRequest(q, s));`,
    ],
    ['another path', 'express', `router.all('/rpc', (q, s) => transport.handleRequest(q, s));`],
    [
      'a computed method',
      'express',
      `app[method]('/rpc', (q, s) => transport.handleRequest(q, s));`,
    ],
    [
      'the name of a list',
      'express',
      `app.post(PATHS, (q, s) => transport.handleRequest(q, s)); const PATHS = ['/a'];`,
    ],
    [
      'the name of a pattern',
      'express',
      'app.post(PATH, (q, s) => transport.handleRequest(q, s)); const PATH = `${base}/*rest`;',
    ],
    ['a pattern', 'express', 'app.post(`${base}/:x`, (q, s) => transport.handleRequest(q, s));'],
  ])('%s is told with its line', (_, framework, line) => {
    const { left, plan, text } = wired(framework, `${line}\n`, { resourcePath: '/mcp' })
    expect(left).toContain('Line 7 gives MCP to a path that is not certain')
    expect(saidAgain(framework, text)).toEqual(linesOf(left))
    expect(plan.notes.join()).not.toContain('as it was said')
  })

  it.each([
    'app.post(PATH, (q, s) => transport.handleRequest(q, s));',
    'app.post(process.env.MCP_PATH ?? "/mcp", (q, s) => transport.handleRequest(q, s));',
    'app.post(`${base}/mcp`, (q, s) => transport.handleRequest(q, s));',
    `router.post('/mcp', (q, s) => transport.handleRequest(q, s));`,
  ])('the one that cannot be read is taken for it: %s', (line) => {
    const { left, plan, text } = wired('express', `${line}\n`, { resourcePath: '/v1/mcp' })
    expect(left).toBe('')
    expect(saidAgain('express', text)).toEqual([])
    expect(plan.notes.join()).toContain('Line 7 is taken to be /v1/mcp, as it was said')
  })

  it.each([
    `app.post('/mcp', serve);\napp.all('/*rest', missing);\n`,
    `app.post('/mcp/:id', serve);\n`,
    `app.post('/mcp{/:id}', serve);\n`,
    `app.post('/users/:id', serve);\napp.get('/*rest', page);\n`,
  ])('what cannot lead there is not told: %j', (lines) => {
    const { left, text } = wired('express', lines, { resourcePath: '/mcp' })
    expect(left).toBe('')
    expect(saidAgain('express', text)).toEqual([])
  })

  it('a wildcard that is seen to answer MCP is guarded as it is', () => {
    const { text } = wired('hono', `app.use('/*', (c) => transport.handleRequest(c));\n`, {
      resourcePath: '/mcp',
    })
    expect(text).toContain(`app.use('/*', protectHono(auth));`)
  })
})

describe('an app that has the guard already', () => {
  const ROUTES: Texts = {
    express: 'app.use(toExpressHandler(auth));',
    hono: 'app.use(toHonoHandler(auth));',
    fastify: 'app.register(toFastifyPlugin(auth));',
  }
  const said = (framework: string, lines: string, options: PlanOptions = {}) =>
    saidAgain(framework, `${IMPORTS[framework]}${ROUTES[framework]}\n${lines}\n`, options)

  it.each<[string, string, string]>([
    [
      'before everything',
      'express',
      `app.use(cors(), protectExpress(auth));\napp.post('/mcp', serve);\napp.post('/x', serve);`,
    ],
    [
      'by a name',
      'express',
      `const guard = protectExpress(auth);\napp.use('/mcp', guard);\napp.post('/mcp', serve);\napp.post('/sse', guard, post);`,
    ],
    [
      'by a list of paths',
      'express',
      `app.use(['/mcp', '/messages'], protectExpress(auth));\napp.post('/mcp', serve);\napp.post('/messages', post);`,
    ],
    [
      'in the call',
      'hono',
      `app.post('/mcp', protectHono(auth), serve);\napp.post('/messages', protectHono(auth), post);`,
    ],
    [
      'in a chain',
      'express',
      `app.route('/mcp').all(protectExpress(auth)).post((q, s) => transport.handleRequest(q, s));`,
    ],
    [
      'in a router',
      'express',
      `app.use('/mcp', protectExpress(auth));\napp.post('/mcp', serve);\nrouter.use(protectExpress(auth));\nrouter.post('/v2', serve);`,
    ],
    [
      'behind what goes on to it',
      'express',
      `app.use('/mcp', cors(), express.json());\napp.options('/mcp', preflight);\napp.use('/mcp', protectExpress(auth));\napp.post('/mcp', serve);`,
    ],
    [
      'by a plugin that has a name',
      'fastify',
      `const guard = protectFastifyRoute(auth, '/mcp');\napp.register(guard);\napp.post('/mcp', serve);`,
    ],
    [
      'with all below a path',
      'hono',
      `app.use('/api/*', protectHono(auth));\napp.all('/api/mcp', serve);\napp.all('/api/sse', post);`,
    ],
  ])('%s: nothing is told', (_, framework, lines) => {
    expect(said(framework, lines)).toEqual([])
  })

  it.each<[string, string, string, RegExp]>([
    [
      'at another path alone',
      'express',
      `app.use('/admin', protectExpress(auth));\napp.post('/mcp', serve);`,
      /^Line 5 answers MCP at "\/mcp"/,
    ],
    [
      'behind the route',
      'express',
      `app.post('/mcp', serve);\napp.use('/mcp', protectExpress(auth));`,
      /^Line 4 answers MCP at "\/mcp"/,
    ],
    [
      'behind a router that is made there',
      'express',
      `app.use('/mcp', routerOf(server));\napp.use('/mcp', protectExpress(auth));`,
      /^Line 4 answers MCP at "\/mcp"/,
    ],
    [
      'before one method alone',
      'express',
      `app.post('/mcp', protectExpress(auth), serve);\napp.get('/mcp', serve);`,
      /^Line 5 answers MCP at "\/mcp"/,
    ],
    [
      'with another handler of MCP since',
      'express',
      `app.use('/mcp', protectExpress(auth));\napp.post('/mcp', serve);\napp.post('/messages', post);`,
      /^Line 6 answers MCP at "\/messages"/,
    ],
    [
      'where nothing is below the path',
      'hono',
      `app.use('/api', protectHono(auth));\napp.all('/api/mcp', serve);`,
      /^Line 5 answers MCP at "\/api\/mcp"/,
    ],
    [
      'in a comment',
      'express',
      `app.use('/mcp', protectExpress(auth));\napp.post('/mcp', serve);\nv2.post('/x', /* protectExpress(auth) */ serve);`,
      /^Line 6 gives MCP to a path that is not certain/,
    ],
    [
      'before a part of a chain',
      'express',
      `app.route('/mcp').get(protectExpress(auth), page).post((q, s) => transport.handleRequest(q, s));`,
      /^Line 4 answers MCP at "\/mcp"/,
    ],
  ])('%s: that is told', (_, framework, lines, expected) => {
    expect(said(framework, lines)).toEqual([expect.stringMatching(expected)])
  })

  it('at another path than the one that is said: that is told', () => {
    const lines = `app.use('/mcp', protectExpress(auth));\napp.use(router);`
    expect(said('express', lines)).toEqual([])
    expect(said('express', lines, { resourcePath: '/v1/mcp' })).toEqual([
      'No guard is before /v1/mcp, for all that is seen: put it there',
    ])
  })
})

describe('a second way to MCP, in a server of node:http', () => {
  it('another listener is told', () => {
    const files = filesOf({
      'package.json': manifestText({ '@modelcontextprotocol/sdk': '1' }),
      'index.js': `import { createServer } from 'node:http';
const server = createServer((req, res) => { if (req.url === '/mcp') mcp(req, res); });
server.on('request', (req, res) => old(req, res));
`,
    })
    expect(planOf(files).left.flat().join('\n')).toContain('Something listens for `request`')
  })

  it('a function that is called as ours is not taken for it', () => {
    const files = filesOf({
      'package.json': manifestText({ '@modelcontextprotocol/sdk': '1' }),
      'index.js': `import { createServer } from 'node:http';
import { withSignIn } from './pages.js';
withSignIn();
createServer((req, res) => { if (req.url === '/mcp') mcp(req, res); });
`,
    })
    expect(planOf(files).left.flat().join('\n')).toContain('createServer(withSignIn(listener))')
  })
})

describe('in another file', () => {
  it('what hands requests to MCP is told, as its path is not known here', () => {
    const files = filesOf({
      'package.json': manifestText({ express: '5.3.0' }),
      'index.js': `${IMPORTS['express']}app.use('/v1', legacy);\napp.post('/mcp', serve);\n`,
      'legacy.js': `legacy.post('/rpc', (req, res) => transport.handleRequest(req, res));\n`,
      'guarded.js': `app.post('/b', protectExpress(auth), (q, s) => t.handleRequest(q, s));\n`,
    })
    const [note, ...others] = planOf(files).notes
    expect(note).toContain('legacy.js hands requests to MCP')
    expect(others).toEqual([])
  })
})

describe('in Next.js', () => {
  const made = (rest: string) =>
    `import { createMcpHandler } from 'mcp-handler';\nconst handler = createMcpHandler(() => {});\n${rest}\n`
  const ROUTE = made('export { handler as GET, handler as POST };')
  const next = (texts: Texts) =>
    filesOf({ 'package.json': manifestText({ next: '16', 'mcp-handler': '2' }), ...texts })

  it('`protect` of somebody else is none of ours: Arcjet', () => {
    const path = 'app/mcp/route.ts'
    const route = made(
      `async function limited(req) { await aj.protect(req); return handler(req); }\nexport { limited as POST };`,
    )
    const files = next({ [path]: `import aj from '@/lib/arcjet';\n${route}` })
    expect(fileAfter(files, planOf(files), path)).toContain('auth.protect(createMcpHandler(')
  })

  it('`auth.protect` of somebody else is none of ours: Clerk', () => {
    const files = next({
      'app/api/[kind]/[transport]/route.ts': ROUTE,
      'proxy.ts': `import { clerkMiddleware } from '@clerk/nextjs/server';
export default clerkMiddleware(async (auth) => { await auth.protect(); });
`,
    })
    expect(planOf(files).left.flat().join('\n')).toContain('auth.protect(handler)')
  })

  it.each<[string, string, readonly string[]]>([
    ['another handler', 'export { raw as GET, handler as POST };', ['GET']],
    [
      'a function',
      'export { handler as POST };\nexport async function DELETE() { return Response.json(end()); }',
      ['DELETE'],
    ],
    ['a constant', 'export const POST = handler;\nexport const GET = raw;', ['GET']],
    ['two of one declaration', 'export const POST = raw, GET = (q) => raw(q);', ['POST', 'GET']],
    ['its own name', 'const POST = raw;\nexport { POST, handler as GET };', ['POST']],
    ['a pattern', 'export const { POST, PUT } = make();', ['POST', 'PUT']],
    ['of another file', `export { handler as GET };\nexport { POST } from './raw';`, ['POST']],
    ['all of another file', `export { handler as GET };\nexport * from './raw';`, ['what another']],
    [
      'a function that asks the handler at times',
      'export function POST(q) { if (q.old) return raw(q); return handler(q); }',
      ['POST'],
    ],
    ['both in a call', 'export const POST = pick(handler, raw);', ['POST']],
    ['as a string', `export { raw as 'PATCH', handler as POST };`, ['PATCH']],
  ])('what a route exports beside the guarded handler is told: %s', (_, rest, names) => {
    const path = 'app/mcp/route.ts'
    const files = next({ [path]: made(rest) })
    const plan = planOf(files)
    const told = names.map((name) => expect.stringMatching(`^It exports ${name}\\b.* has no guard`))
    expect(plan.left).toEqual([[`${path}:`, ...told]])
    const again = next({ [path]: fileAfter(files, plan, path) })
    expect(planOf(again).left).toEqual(plan.left)
  })

  it.each([
    'export { handler as GET, handler as POST, handler as DELETE };',
    'export const POST = handler;\nexport const maxDuration = 60, runtime = "nodejs";',
    'export async function POST(q: Request): Promise<Response> { return await handler(q); }',
    'const GET = (q) => handler(q);\nexport { GET, handler as POST };',
    'const POST = limited(handler, { max: 5 });\nexport { POST };',
    'export { handler as POST };\nexport function OPTIONS() { return new Response(); }',
  ])('what leads to the guarded handler is not told: %j', (rest) => {
    const path = 'app/mcp/route.ts'
    const files = next({ [path]: made(rest) })
    const plan = planOf(files)
    expect(plan.left).toEqual([])
    expect(planOf(next({ [path]: fileAfter(files, plan, path) })).left).toEqual([])
  })

  it('of two routes the one without a guard is told, though the other has it', () => {
    const guarded = `import { auth } from '@/lib/mcp_oauth';\n${made('const guarded = auth.protect(handler);\nexport { guarded as POST };')}`
    const files = next({ 'app/a/mcp/route.ts': guarded, 'app/b/mcp/route.ts': ROUTE })
    expect(planOf(files).left.flat()).toEqual([
      expect.stringContaining('app/b/mcp/route.ts speaks MCP, too, and has no guard'),
    ])
  })

  it('another route that speaks MCP is told, now and later', () => {
    const raw = `import { McpServer } from '@modelcontextprotocol/server';\nexport const POST = serve;\n`
    const files = next({ 'app/mcp/route.ts': ROUTE, 'app/raw/route.ts': raw })
    const plan = planOf(files)
    expect(plan.left.flat().join('\n')).toContain('app/raw/route.ts speaks MCP, too')
    const guarded = next({
      'app/mcp/route.ts': fileAfter(files, plan, 'app/mcp/route.ts'),
      'app/raw/route.ts': raw,
    })
    expect(planOf(guarded).left.flat().join('\n')).toContain('app/raw/route.ts speaks MCP, too')
  })
})
