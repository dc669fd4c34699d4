import { describe, expect, it } from 'vitest'
import {
  carriedOut,
  fileAfter,
  filesOf,
  manifestText,
  planOf,
  recognitionOf,
  type Texts,
} from './support.ts'

const EXPRESS = { express: '5.3.0', '@modelcontextprotocol/sdk': '1.32.2' }

/** A project of one file. */
function project(source: string, packages: Texts = EXPRESS, path = 'src/index.ts') {
  return filesOf({ 'package.json': manifestText(packages), [path]: source })
}

function wired(source: string, packages: Texts = EXPRESS, path = 'src/index.ts') {
  const files = project(source, packages, path)
  const plan = planOf(files)
  return { text: fileAfter(files, plan, path), plan }
}

const APP = `import express from 'express';
const app = express();
app.post('/mcp', (req, res) => transport.handleRequest(req, res, req.body));
app.listen(3000);
`

describe('Express', () => {
  it('gets two lines behind the creation of the app, before all else', () => {
    const { text, plan } = wired(APP)
    expect(text).toBe(`import express from 'express';
import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express';
import { auth } from './mcp_oauth.js';
const app = express();
app.use(toExpressHandler(auth));
app.use('/mcp', protectExpress(auth));
app.post('/mcp', (req, res) => transport.handleRequest(req, res, req.body));
app.listen(3000);
`)
    expect(plan.left).toEqual([])
  })

  it.each<[string, string, string]>([
    [
      'no semicolons, double quotes',
      'import express from "express"\nconst app = express()\napp.all("/mcp", h)\n',
      'const app = express()\napp.use(toExpressHandler(auth))\napp.use("/mcp", protectExpress(auth))\n',
    ],
    [
      'a type',
      "import express, { Express } from 'express';\nconst app: Express = express();\napp.all('/mcp', h);\n",
      'express();\napp.use(toExpressHandler(auth));',
    ],
    [
      'a type with a dot',
      "import express from 'express';\nconst app: express.Application = express();\napp.all('/mcp', h);\n",
      'express();\napp.use(toExpressHandler(auth));',
    ],
    [
      'an export',
      "import express from 'express';\nexport const app = express();\napp.all('/mcp', h);\n",
      'express();\napp.use(toExpressHandler(auth));',
    ],
    [
      'in a function',
      "import express from 'express';\nasync function main() {\n    const app = express();\n    app.all('/mcp', h);\n}\n",
      "express();\n    app.use(toExpressHandler(auth));\n    app.use('/mcp', protectExpress(auth));\n    app.all",
    ],
    [
      'a tab',
      "import express from 'express';\nfunction main() {\n\tconst app = express();\n\tapp.all('/mcp', h);\n}\n",
      'express();\n\tapp.use(toExpressHandler(auth));',
    ],
    [
      'a comment behind',
      "import express from 'express'; // web\nconst app = express(); // the app\napp.all('/mcp', h);\n",
      "from 'express'; // web\nimport { protectExpress, toExpressHandler } from '@mcp-oauth/server/express';\nimport { auth } from './mcp_oauth.js';\nconst app = express(); // the app\napp.use(toExpressHandler(auth));",
    ],
    [
      'a namespace',
      "import * as express from 'express';\nconst app = express();\napp.all('/mcp', h);\n",
      'express();\napp.use(toExpressHandler(auth));',
    ],
    [
      'import equals',
      "import express = require('express');\nconst app = express();\napp.all('/mcp', h);\n",
      "require('express');\nimport { protectExpress",
    ],
    [
      'another name',
      "import createApp from 'express';\nconst web = createApp();\nweb.all('/mcp', h);\n",
      "web.use(toExpressHandler(auth));\nweb.use('/mcp', protectExpress(auth));",
    ],
    [
      'a path in a constant',
      "import express from 'express';\nconst PATH = '/api/mcp';\nconst app = express();\napp.post(PATH, h);\n",
      "app.use('/api/mcp', protectExpress(auth));",
    ],
    [
      'a path told by what answers',
      "import express from 'express';\nconst app = express();\napp.get('/', h);\napp.post('/rpc', (a, b) => transport.handleRequest(a, b));\n",
      "app.use('/rpc', protectExpress(auth));",
    ],
    [
      'a chain',
      "import express from 'express';\nconst app = express();\napp.route('/mcp').post(h).get(h);\n",
      "app.use('/mcp', protectExpress(auth));",
    ],
    [
      'a router',
      "import express from 'express';\nimport { router } from './mcp.js';\nconst app = express();\napp.use('/mcp', router);\n",
      "app.use('/mcp', protectExpress(auth));",
    ],
    [
      'words in comments and strings',
      "import express from 'express';\n// const app = express();\nconst note = \"app.post('/no/mcp')\";\nconst app = express();\napp.post('/mcp', h);\n",
      "app.use('/mcp', protectExpress(auth));",
    ],
    [
      'no import but of types',
      "import type { Request } from 'express';\nimport express from 'express';\nconst app = express();\napp.post('/mcp', (r: Request) => h(r));\n",
      "from 'express';\nimport { protectExpress",
    ],
    [
      'methods by their names, at the same path',
      "import express from 'express';\nconst app = express();\napp.post('/mcp', serve);\nfor (const m of ['get', 'delete']) app[m]('/mcp', serve);\n",
      "app.use('/mcp', protectExpress(auth));",
    ],
  ])('%s', (_, source, expected) => {
    const { text, plan } = wired(source)
    expect(text).toContain(expected)
    expect(plan.left).toEqual([])
  })

  it('CommonJS stays CommonJS', () => {
    const source = `'use strict'
const express = require('express')
const app = express()
app.post('/mcp', handle)
`
    const files = filesOf({
      'package.json': manifestText(EXPRESS, { type: 'commonjs' }),
      'server.js': source,
    })
    const plan = planOf(files)
    expect(fileAfter(files, plan, 'server.js')).toBe(`'use strict'
const express = require('express')
const { protectExpress, toExpressHandler } = require('@mcp-oauth/server/express')
const { auth } = require('./mcp_oauth.js')
const app = express()
app.use(toExpressHandler(auth))
app.use('/mcp', protectExpress(auth))
app.post('/mcp', handle)
`)
    const module = fileAfter(files, plan, 'mcp_oauth.js')
    expect(module).toContain(`const { createMcpOAuth } = require('@mcp-oauth/server')`)
    expect(module).toContain('module.exports = { auth }')
    expect(module).not.toContain('import ')
  })

  it('an app of the MCP SDK goes behind, as it refuses the consent form', () => {
    const { text } = wired(
      `import { createMcpExpressApp } from '@modelcontextprotocol/express';
const app = createMcpExpressApp({ host: '0.0.0.0', allowedHosts: ['a.example'] });
app.post('/mcp', handle);
`,
      { '@modelcontextprotocol/express': '2.0.2', express: '5.3.0' },
    )
    expect(text).toContain(`import express from 'express';
import { protectExpress, toExpressHandler } from '@mcp-oauth/server/express';
import { auth } from './mcp_oauth.js';
const app = express();
app.use(toExpressHandler(auth));
app.use('/mcp', protectExpress(auth));
app.use(createMcpExpressApp({ host: '0.0.0.0', allowedHosts: ['a.example'] }));
app.post('/mcp', handle);
`)
  })

  it('whatever else answers MCP needs a token, too', () => {
    const { text, plan } = wired(
      APP.replace(
        'app.listen',
        `app.get('/sse', (req, res) => new SSEServerTransport('/messages', res));
app.post('/messages', handleMessages);
app.post('/rpc', (req, res) => transport.handlePostMessage(req, res));
app.get('/health', ok);
app.listen`,
      ),
    )
    expect(text).toContain(`app.use('/mcp', protectExpress(auth));
app.use('/sse', protectExpress(auth));
app.use('/messages', protectExpress(auth));
app.use('/rpc', protectExpress(auth));
app.post`)
    expect(text).not.toContain(`'/health', protect`)
    expect(plan.notes.join()).toContain('/sse answers MCP too')
  })

  it('a name that is taken is not taken again', () => {
    const { text } = wired(APP.replace('const app', "const auth = 'basic';\nconst app"))
    expect(text).toContain(`import { auth as mcpAuth } from './mcp_oauth.js';`)
    expect(text).toContain('app.use(toExpressHandler(mcpAuth));')
  })

  it.each<[string, string]>([
    [
      'two apps with MCP',
      "import express from 'express';\nconst a = express();\na.post('/mcp', h);\nconst b = express();\nb.post('/mcp', h);\n",
    ],
    [
      'two paths',
      "import express from 'express';\nconst app = express();\napp.post('/mcp', h);\napp.post('/v2/mcp', h);\n",
    ],
    [
      'the root',
      "import express from 'express';\nconst app = express();\napp.post('/', (a, b) => transport.handleRequest(a, b));\n",
    ],
    [
      'a list of paths',
      "import express from 'express';\nconst app = express();\napp.post(['/mcp', '/v2'], h);\n",
    ],
    [
      'a parameter in the path',
      "import express from 'express';\nconst app = express();\napp.post('/:tenant/mcp', h);\n",
    ],
    [
      'a computed path',
      "import express from 'express';\nconst app = express();\napp.post(`${base}/mcp`, h);\n",
    ],
    [
      'a creation that goes on',
      "import express from 'express';\nconst app = express()\n  .use(cors());\napp.post('/mcp', h);\n",
    ],
    [
      'two declarations',
      "import express from 'express';\nconst app = express(), port = 1;\napp.post('/mcp', h);\n",
    ],
    [
      'an assignment',
      "import express from 'express';\nlet app;\napp = express();\napp.post('/mcp', h);\n",
    ],
    [
      'a prefix in a function',
      "import express from 'express';\nconst app = express();\nconst mount = (app) => { app.post('/mcp', h); };\n",
    ],
    [
      'a router',
      "import express from 'express';\nconst app = express();\nconst router = express.Router();\nrouter.post('/mcp', h);\napp.use(router);\n",
    ],
    ['no MCP', "import express from 'express';\nconst app = express();\napp.get('/', h);\n"],
    [
      'not understood',
      "import express from 'express';\nconst app = express();\napp.post('/mcp', h);\nconst a = `\n",
    ],
    [
      'sign-in of its own',
      "import express from 'express';\nconst app = express();\napp.use(mcpAuthRouter({ provider }));\napp.post('/mcp', requireBearerAuth({ verifier }), h);\n",
    ],
  ])('is left to people where it is not certain: %s', (_, source) => {
    const { text, plan } = wired(source)
    expect(text).toBe(source)
    expect(plan.left.flat().join('\n')).toContain('app.use(toExpressHandler(auth));')
    expect(plan.left.flat().join('\n')).toContain(`protectExpress(auth)`)
  })

  it('sessions that an app keeps are told, as each must be of one user', () => {
    const notes = (line: string) =>
      wired(APP.replace('(req, res) =>', `(req, res) => ${line} ||`)).plan.notes
    expect(notes("sessions[req.headers['mcp-session-id']]")).toEqual([
      expect.stringContaining('src/index.ts keeps sessions by mcp-session-id'),
    ])
    expect(notes("cors({ exposedHeaders: ['mcp-session-id'] })")).toEqual([])
  })

  it('a path that is said is taken, and the file that is named', () => {
    const source = "import express from 'express';\nconst app = express();\napp.use(router);\n"
    const files = project(source)
    const plan = planOf(files, { resourcePath: '/v1/mcp' })
    expect(fileAfter(files, plan, 'src/index.ts')).toContain(
      "app.use('/v1/mcp', protectExpress(auth));",
    )
    expect(plan.resource).toBe('http://localhost:3000/v1/mcp')
    const two = filesOf({
      ...carriedOut(project(APP), { ...plan, writes: [] }),
      'src/other.ts': APP,
    })
    expect(planOf(two).left).not.toEqual([])
    const named = planOf(two, { entry: 'src/other.ts' })
    expect(named.left).toEqual([])
    expect(named.writes.map(({ path }) => path)).toContain('src/other.ts')
    expect(named.writes.map(({ path }) => path)).not.toContain('src/index.ts')
  })

  it('tests, examples and what was built are no servers', () => {
    const files = filesOf({
      'package.json': manifestText(EXPRESS),
      'tsconfig.json': '{ "compilerOptions": { /* "outDir": "src" */ "outDir": "./Compiled" } }',
      'src/index.ts': APP,
      'src/index.test.ts': APP,
      'test/server.ts': APP,
      'examples/a.ts': APP,
      'Compiled/index.js': APP,
    })
    expect(recognitionOf(files).place.site?.path).toBe('src/index.ts')
  })
})

describe('the line ends and marks of a file', () => {
  it('CRLF stays CRLF, in every line', () => {
    const { text } = wired(APP.replaceAll('\n', '\r\n'))
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(text).toContain("app.use('/mcp', protectExpress(auth));\r\n")
  })

  it('a byte order mark stays first', () => {
    const { text } = wired(`\uFEFF${APP}`)
    expect(text.startsWith("\uFEFFimport express from 'express';\nimport {")).toBe(true)
    expect(text.lastIndexOf('\uFEFF')).toBe(0)
  })

  it('a file without a last line end', () => {
    const { text } = wired(
      "import express from 'express'\nconst app = express()\napp.all('/mcp', h)",
    )
    expect(text.endsWith("app.all('/mcp', h)")).toBe(true)
  })
})

describe('Hono', () => {
  const HONO = { hono: '4.13.19', '@modelcontextprotocol/server': '2.4.0' }
  const around = (route: string, head = '') =>
    `import { Hono } from 'hono';\n${head}const app = new Hono();\n${route}\n`

  it.each<[string, string, string]>([
    [
      'fetch',
      "app.all('/mcp', (c) => handler.fetch(c.req.raw));",
      "handler.fetch(c.req.raw, { authInfo: c.get('auth') })",
    ],
    [
      'options',
      "app.all('/mcp', (c) => handler.fetch(c.req.raw, { parsedBody: c.get('parsedBody') }));",
      "handler.fetch(c.req.raw, { authInfo: c.get('auth'), parsedBody: c.get('parsedBody') })",
    ],
    [
      'no options',
      "app.all('/mcp', (c) => handler.fetch(c.req.raw, {}));",
      "handler.fetch(c.req.raw, { authInfo: c.get('auth') })",
    ],
    [
      'a transport',
      "app.post('/mcp', async (ctx) => {\n  return transport.handleRequest(ctx.req.raw);\n});",
      "transport.handleRequest(ctx.req.raw, { authInfo: ctx.get('auth') })",
    ],
    [
      'it does already',
      "app.all('/mcp', (c) => handler.fetch(c.req.raw, { authInfo: undefined }));",
      'handler.fetch(c.req.raw, { authInfo: undefined })',
    ],
  ])('hands over who calls: %s', (_, route, expected) => {
    const { text, plan } = wired(around(route), HONO)
    expect(text).toContain(expected)
    expect(text).toContain("app.use(toHonoHandler(auth));\napp.use('/mcp', protectHono(auth));")
    expect(plan.left).toEqual([])
  })

  it('mcp-handler takes it on the request', () => {
    const { text } = wired(
      around(
        "app.all('/mcp', (c) => handler(c.req.raw));",
        "import { createMcpHandler } from 'mcp-handler';\nconst handler = createMcpHandler(init);\n",
      ),
      { hono: '4.13.19', 'mcp-handler': '2.4.0' },
    )
    expect(text).toContain("handler(Object.assign(c.req.raw, { auth: c.get('auth') }))")
  })

  it('@hono/mcp takes it from the context', () => {
    const { text, plan } = wired(
      around(
        "app.all('/mcp', (c) => transport.handleRequest(c));",
        "import { StreamableHTTPTransport } from '@hono/mcp';\n",
      ),
      { hono: '4.13.19', '@hono/mcp': '0.2.0' },
    )
    expect(text).toContain('transport.handleRequest(c));')
    expect(plan.left).toEqual([])
  })

  it('what is not seen to hand it over is left to people, and is guarded all the same', () => {
    const { text, plan } = wired(around("app.all('/mcp', handleMcp);"), HONO)
    expect(text).toContain("app.use('/mcp', protectHono(auth));")
    expect(plan.left.flat().join()).toContain('authInfo')
  })

  it('an app below a path is guarded with all that it has', () => {
    const { text } = wired(around("app.route('/mcp', mcp);"), HONO)
    expect(text).toContain("app.use('/mcp/*', protectHono(auth));")
  })

  it('an app of the MCP SDK goes behind', () => {
    const { text } = wired(
      "import { createMcpHonoApp } from '@modelcontextprotocol/hono';\nconst app = createMcpHonoApp();\napp.all('/mcp', (c) => handler.fetch(c.req.raw));\n",
      { ...HONO, '@modelcontextprotocol/hono': '2.0.2' },
    )
    expect(text).toContain(`import { Hono } from 'hono';
import { protectHono, toHonoHandler } from '@mcp-oauth/server/hono';
import { auth } from './mcp_oauth.js';
const app = new Hono();
app.use(toHonoHandler(auth));
app.use('/mcp', protectHono(auth));
app.route('/', createMcpHonoApp());
`)
  })

  it('type arguments and options of the app stay', () => {
    const { text } = wired(
      "import { Hono } from 'hono';\nconst app = new Hono<{ Variables: { a: Map<string, number> } }>({ strict: false });\napp.all('/mcp', (c) => handler.fetch(c.req.raw));\n",
      HONO,
    )
    expect(text).toContain('({ strict: false });\napp.use(toHonoHandler(auth));')
  })

  it('a base path is not guessed at', () => {
    const source =
      "import { Hono } from 'hono';\nconst app = new Hono().basePath('/api');\napp.all('/mcp', (c) => handler.fetch(c.req.raw));\n"
    const { text, plan } = wired(source, HONO)
    expect(text).toBe(source)
    expect(plan.left).not.toEqual([])
  })
})

describe('Fastify', () => {
  const FASTIFY = { fastify: '5.12.8', '@modelcontextprotocol/node': '2.1.2' }

  it.each<[string, string]>([
    [
      'default',
      "import Fastify from 'fastify';\nconst app = Fastify({ logger: true });\napp.post('/mcp', h);\n",
    ],
    ['named', "import { fastify } from 'fastify';\nconst app = fastify();\napp.all('/mcp', h);\n"],
    [
      'route',
      "import Fastify from 'fastify';\nconst app = Fastify();\napp.route({ method: 'POST', url: '/mcp', handler: h });\n",
    ],
  ])('%s', (_, source) => {
    const { text, plan } = wired(source, FASTIFY)
    expect(text).toMatch(
      /;\napp\.register\(toFastifyPlugin\(auth\)\);\napp\.register\(protectFastifyRoute\(auth, '\/mcp'\)\);\napp\./,
    )
    expect(plan.left).toEqual([])
  })

  it('an app of the MCP SDK becomes a plain one, unless it was told more', () => {
    const source = (args: string) =>
      `import { createMcpFastifyApp } from '@modelcontextprotocol/fastify';\nconst app = createMcpFastifyApp(${args});\napp.post('/mcp', h);\n`
    const { text, plan } = wired(source(''), FASTIFY)
    expect(text).toContain("import Fastify from 'fastify';")
    expect(text).toContain('const app = Fastify();\napp.register(toFastifyPlugin(auth));')
    expect(plan.notes.join()).toContain('which did so for every route')
    const told = wired(source("{ allowedHosts: ['a.example'] }"), FASTIFY)
    expect(told.text).toBe(source("{ allowedHosts: ['a.example'] }"))
    expect(told.plan.left.flat().join()).toContain('Origin: null')
  })

  it('a route in a plugin, which may have a prefix, is not guessed at', () => {
    const { plan } = wired(
      "import Fastify from 'fastify';\nconst app = Fastify();\napp.register(async (app) => { app.post('/mcp', h); }, { prefix: '/api' });\n",
      FASTIFY,
    )
    expect(plan.left.flat().join('\n')).toContain('--resource-path')
  })
})

describe('run again', () => {
  it.each<[string, Texts]>([
    ['Express', { 'package.json': manifestText(EXPRESS), 'src/index.ts': APP }],
    [
      'CommonJS',
      {
        'package.json': manifestText(EXPRESS, { type: 'commonjs' }),
        'index.js':
          "const express = require('express')\nconst app = express()\napp.post('/mcp', h)\n",
      },
    ],
    [
      'what was left to people, done',
      {
        'package.json': manifestText(EXPRESS),
        'src/index.ts':
          "import express from 'express';\nimport { auth } from './mcp_oauth.js';\nfor (const app of [express()]) {\n  app.use(toExpressHandler(auth), protectExpress(auth));\n}\n",
      },
    ],
  ])('nothing is left to write: %s', (_, texts) => {
    const files = filesOf(texts)
    const after = filesOf(carriedOut(files, planOf(files)))
    const again = planOf(after, { upstream: 'google', store: 'memory' })
    expect([again.writes, again.conflicts, again.left]).toEqual([[], [], []])
  })

  it.each<[string, RegExp]>([
    ['the guard', /app\.use\('\/mcp', protectExpress\(auth\)\);\n/],
    ['the routes', /app\.use\(toExpressHandler\(auth\)\);\n/],
  ])('completes %s where it is missing', (_, line) => {
    const files = project(APP)
    const whole = fileAfter(files, planOf(files), 'src/index.ts')
    const half = filesOf({
      ...carriedOut(files, planOf(files)),
      'src/index.ts': whole.replace(line, ''),
    })
    const lines = (text: string) => text.split('\n').toSorted()
    expect(lines(fileAfter(half, planOf(half), 'src/index.ts'))).toEqual(lines(whole))
  })

  it('the module that is there is kept, and what it reads is asked for', () => {
    const files = project(APP)
    const module =
      "export const auth = createMcpOAuth({ keys: process.env.MY_KEYS, issuer: process.env['MY_ISSUER'] });\n"
    const mine = filesOf({ ...Object.fromEntries(files.texts), 'src/config/sign_in.ts': module })
    const plan = planOf(mine)
    expect(plan.writes.map(({ path }) => path)).not.toContain('src/mcp_oauth.ts')
    expect(fileAfter(mine, plan, 'src/index.ts')).toContain(
      `import { auth } from './config/sign_in.js';`,
    )
    expect(fileAfter(mine, plan, '.env')).toBe('MY_KEYS=\nMY_ISSUER=\n')
  })

  it.each<[string, string, string]>([
    ['found in doubt, and said then', '`${issuer}/mcp`', '`${issuer}/v1/mcp`'],
    ['by hand', "new URL('/mcp', issuer).href", "new URL('/v1/mcp', issuer).href"],
  ])('the module that is there must name the endpoint: %s', (_, before, after) => {
    const source = "import express from 'express';\nconst app = express();\napp.use(router);\n"
    const doubtful = project(source)
    const first = carriedOut(doubtful, planOf(doubtful))
    const module = (resource: string) =>
      (first['src/mcp_oauth.ts'] ?? '').replace('`${issuer}/mcp`', resource)
    const left = (resource: string) =>
      planOf(filesOf({ ...first, 'src/mcp_oauth.ts': module(resource) }), {
        resourcePath: '/v1/mcp',
      }).left
    expect(left(before)).toEqual([
      ['src/mcp_oauth.ts: `resource` must end in /v1/mcp, where the MCP endpoint is'],
    ])
    expect(left(after)).toEqual([])
  })

  it('the path of an issuer is part of the endpoint', () => {
    const files = project(APP.replace('/mcp', '/notes/mcp'))
    const written = carriedOut(files, planOf(files))
    const below = (written['src/mcp_oauth.ts'] ?? '')
      .replace("'http://localhost:3000'", "'https://example.com/notes'")
      .replace('/notes/mcp`', '/mcp`')
    expect(below).toContain('resource: `${issuer}/mcp`')
    expect(planOf(filesOf({ ...written, 'src/mcp_oauth.ts': below })).left).toEqual([])
  })

  it('a file of another content is in the way, and stays', () => {
    const files = filesOf({
      ...Object.fromEntries(project(APP).texts),
      'src/mcp_oauth.ts': 'export {}\n',
    })
    const plan = planOf(files)
    expect(plan.conflicts.map(({ path }) => path)).toEqual(['src/mcp_oauth.ts'])
    expect(plan.writes.map(({ path }) => path)).not.toContain('src/mcp_oauth.ts')
  })
})

describe('how the module is named in an import', () => {
  const spelt = (head: string, tsconfig = '{}', scripts: object = {}) => {
    const files = filesOf({
      'package.json': manifestText(EXPRESS, { scripts }),
      'tsconfig.json': tsconfig,
      'src/index.ts': `${head}${APP}`,
    })
    const text = fileAfter(files, planOf(files), 'src/index.ts')
    return /from '(\.\/mcp_oauth.*)'/.exec(text)?.[1]
  }
  it.each<[string, string | undefined, string]>([
    ['as the others: .ts', spelt("import { a } from './a.ts';\n"), './mcp_oauth.ts'],
    ['as the others: .js', spelt("import { a } from './a.js';\n"), './mcp_oauth.js'],
    ['as the others: nothing', spelt("import { a } from './a';\n"), './mcp_oauth'],
    [
      'the compiler rewrites',
      spelt('', '{ "compilerOptions": { "rewriteRelativeImportExtensions": true } }'),
      './mcp_oauth.ts',
    ],
    [
      'node runs it as it is',
      spelt('', '{}', { start: 'node --watch src/index.ts' }),
      './mcp_oauth.ts',
    ],
    ['of old', spelt('', '{ "compilerOptions": { "moduleResolution": "node" } }'), './mcp_oauth'],
    ['else', spelt(''), './mcp_oauth.js'],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected)
  })

  it.each([
    ['{ "compilerOptions": { "moduleResolution": "Node" } }', /"nodenext", or "bundler"/],
    [
      '{ // "moduleResolution": "bundler"\n "compilerOptions": { "module": "Node16" } }',
      /set "nodenext"/,
    ],
  ])('a compiler that cannot find the package is told of: %s', (tsconfig, said) => {
    const files = filesOf({
      'package.json': manifestText(EXPRESS, { type: 'commonjs' }),
      'tsconfig.json': tsconfig,
      'src/index.ts': APP,
    })
    expect(planOf(files).left.flat().join()).toMatch(said)
  })

  it.each<[string, string, object, boolean]>([
    ['as TypeScript 5 wrote it', '^5.7.3', { module: 'commonjs' }, true],
    ['of TypeScript 6', '~6.0.2', { module: 'commonjs' }, false],
    ['which sees it', '5.9.3', { module: 'NodeNext' }, false],
    ['that leaves it to another file', '5.9.3', { module: 'commonjs', extends: './base' }, false],
    ['that says how', '5.9.3', { module: 'esnext', moduleResolution: 'bundler' }, false],
  ])('a compiler is judged by its version, too: one %s', (_, typescript, options, isTold) => {
    const { extends: base, ...compilerOptions } = { extends: undefined, ...options }
    const files = filesOf({
      'package.json': manifestText({ ...EXPRESS, typescript }, { type: 'commonjs' }),
      'tsconfig.json': JSON.stringify({ extends: base, compilerOptions }),
      'src/index.ts': APP,
    })
    expect(planOf(files).left.flat().join().includes('set "nodenext"')).toBe(isTold)
  })
})
