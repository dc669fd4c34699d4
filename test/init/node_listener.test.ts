import { describe, expect, it } from 'vitest'
import { carriedOut, fileAfter, filesOf, manifestText, planOf } from './support.ts'

const NODE = { '@modelcontextprotocol/node': '2.1.2', '@modelcontextprotocol/server': '2.4.0' }

function wired(source: string, path = 'src/server.ts') {
  const files = filesOf({ 'package.json': manifestText(NODE), [path]: source })
  const plan = planOf(files)
  return {
    files,
    plan,
    text: fileAfter(files, plan, path),
    module: fileAfter(files, plan, plan.module),
  }
}

describe('node:http', () => {
  it.each<[string, string, string]>([
    [
      'an arrow',
      "import { createServer } from 'node:http';\nconst mcp = 1;\ncreateServer((req, res) => f(req, res)).listen(3000);\n",
      'createServer(withSignIn((req, res) => f(req, res))).listen(3000)',
    ],
    [
      'a call',
      "import { createServer } from 'http';\ncreateServer(toNodeHandler(mcp)).listen(8080);\n",
      'createServer(withSignIn(toNodeHandler(mcp))).listen(8080)',
    ],
    [
      'a namespace',
      "import * as http from 'node:http';\nconst s = http.createServer(mcp);\n",
      'http.createServer(withSignIn(mcp))',
    ],
    [
      'a default',
      "import http from 'node:http';\nconst s = http.createServer(mcp);\n",
      'http.createServer(withSignIn(mcp))',
    ],
    [
      'options first',
      "import { createServer } from 'node:https';\ncreateServer({ key, cert }, mcp);\n",
      'createServer({ key, cert }, withSignIn(mcp))',
    ],
    [
      'a function',
      "import { createServer } from 'node:http';\ncreateServer(async function (req, res) {\n  mcp(req, res);\n});\n",
      'createServer(withSignIn(async function (req, res) {\n  mcp(req, res);\n}));',
    ],
  ])('the listener goes behind: %s', (_, source, expected) => {
    const { text, plan, files } = wired(source)
    expect(text).toContain(expected)
    expect(text).toContain(`import { withSignIn } from './mcp_oauth.js';`)
    expect(plan.left).toEqual([])
    const again = planOf(filesOf(carriedOut(files, plan)))
    expect([again.writes, again.left]).toEqual([[], []])
  })

  it('everything needs a token, but a GET of a path that the code compares with and is not MCP', () => {
    const { module, plan } = wired(`import { createServer } from 'node:http';
createServer((req, res) => {
  if (req.url === '/health') return res.end('ok');
  switch (path) { case '/version': return res.end('1'); case '/messages': return old(req, res); }
  if (req.url?.startsWith('/public/')) return res.end();
  if (req.url !== '/api/mcp') return res.writeHead(404).end();
  mcp(req, res);
}).listen(4000);
`)
    expect(module).toContain("const OPEN = new Set(['/health', '/version']);")
    // With a query the listener may take it for another one, and fall through to MCP.
    expect(module).toContain("const isOpen = req.method === 'GET' && OPEN.has(req.url ?? '');")
    expect([plan.resource, plan.issuer]).toEqual([
      'http://localhost:4000/api/mcp',
      'http://localhost:4000',
    ])
    expect(plan.notes.join('\n')).toContain('GET /health needs no token; all else does')
  })

  it('a listener that looks at no path answers MCP at any, and nothing is open', () => {
    const { module } = wired(
      "import { createServer } from 'node:http';\ncreateServer(mcp).listen(3000);\n",
    )
    expect(module).not.toContain('OPEN')
    expect(module).toContain('import type { RequestListener } from')
    expect(module).toContain(
      'export function withSignIn(listener: RequestListener): RequestListener {',
    )
  })

  it.each<[string, string]>([
    [
      'options alone',
      "import { createServer } from 'node:http';\nconst server = createServer({ keepAlive: true });\nserver.on('request', mcp);\n",
    ],
    [
      'named options',
      "import { createServer } from 'node:http';\nconst server = createServer(serverOptions);\nserver.on('request', mcp);\n",
    ],
    [
      'no listener',
      "import { createServer } from 'node:http';\nconst server = createServer();\nserver.on('request', mcp);\n",
    ],
    [
      'two servers',
      "import { createServer } from 'node:http';\ncreateServer(mcp);\ncreateServer(redirect);\n",
    ],
    [
      'paths of which none is MCP’s',
      "import { createServer } from 'node:http';\ncreateServer((req, res) => {\n  if (req.url === '/tools') return handleMcp(req, res);\n});\n",
    ],
    [
      'several of MCP',
      "import { createServer } from 'node:http';\ncreateServer((req, res) => {\n  if (req.url === '/a/mcp') return a(req, res);\n  if (req.url === '/b/mcp') return b(req, res);\n});\n",
    ],
    [
      'a server of something else',
      "import { createServer } from 'node:net';\ncreateServer(mcp);\n",
    ],
  ])('is left to people: %s', (_, source) => {
    const { text, plan } = wired(source)
    expect(text).toBe(source)
    expect(plan.left.flat().join('\n')).toContain('createServer(withSignIn(listener))')
  })

  it('a path that is said is not open', () => {
    const source =
      "import { createServer } from 'node:http';\ncreateServer((req, res) => {\n  if (req.url === '/tools') return handleMcp(req, res);\n});\n"
    const files = filesOf({ 'package.json': manifestText(NODE), 'src/server.ts': source })
    const plan = planOf(files, { resourcePath: '/tools' })
    expect(fileAfter(files, plan, 'src/server.ts')).toContain('createServer(withSignIn(')
    expect(fileAfter(files, plan, 'src/mcp_oauth.ts')).not.toContain('OPEN')
  })
})

describe('the port of the issuer', () => {
  it.each([
    ['app.listen(8080)', 8080],
    ['app.listen(process.env.PORT || 4000)', 4000],
    ['const PORT = parseInt(process.env.PORT ?? "5000", 10); s.listen(PORT)', 5000],
    ['serve({ fetch: app.fetch, port: 6000 })', 6000],
    ['const port = Number(env.PORT); s.listen(port)', 3000],
    ['s.listen(99999)', 3000],
  ])('%s', (code, port) => {
    const source = `import { createServer } from 'node:http';\nconst s = createServer(mcp);\n${code};\n`
    expect(wired(source).plan.issuer).toBe(`http://localhost:${port}`)
  })
})
