/** Whatever a project looks like: a second run has nothing to do, and nothing is written outside or lost. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCode } from '../../src/scaffold/code.ts'
import { applyEdits } from '../../src/scaffold/edit.ts'
import { STORES } from '../../src/scaffold/store_choice.ts'
import {
  carriedOut,
  filesOf,
  manifestText,
  planOf,
  type PlanOptions,
  type Texts,
} from './support.ts'

const IMPORTS = [
  "import express from 'express';",
  "import { Hono } from 'hono';",
  "import Fastify from 'fastify';",
  "import { createServer } from 'node:http';",
  "import * as http from 'http'",
  "import { createMcpHandler } from 'mcp-handler'",
  "import { createMcpExpressApp } from '@modelcontextprotocol/express'",
  "import { createMcpHonoApp } from '@modelcontextprotocol/hono'",
  "const express = require('express')",
  "'use strict'",
  '// a comment',
]
const STATEMENTS = [
  'const app = express();',
  'const app = new Hono()',
  'const app = new Hono<{ Variables: { a: 1 } }>();',
  'const app = Fastify({ logger: true })',
  'const app = createMcpExpressApp()',
  'const app = createMcpHonoApp({ host: "0.0.0.0" });',
  "app.post('/mcp', h)",
  "app.all('/mcp', (c) => handler.fetch(c.req.raw));",
  "app.get('/sse', s);",
  "app.post('/messages', (a, b) => t.handlePostMessage(a, b));",
  "app.use('/api', router)",
  "createServer((req, res) => { if (req.url === '/mcp') return mcp(req, res) })",
  'http.createServer(mcp).listen(3000)',
  'const handler = createMcpHandler(init)',
  'export { handler as GET, handler as POST };',
  'const auth = 1',
  'function main() {\n  const app = express()\n  return app\n}',
  'app.listen(8080);',
]
const PATHS = [
  'src/index.ts',
  'index.js',
  'server.mjs',
  'app/mcp/route.ts',
  'src/app/api/[transport]/route.ts',
  'app.cjs',
]
const PACKAGES = [
  'express',
  'hono',
  'fastify',
  'next',
  'mcp-handler',
  'pg',
  'redis',
  'ioredis',
  '@upstash/redis',
]

const source = fc
  .tuple(
    fc.array(fc.constantFrom(...IMPORTS), { maxLength: 4 }),
    fc.array(fc.constantFrom(...STATEMENTS), { maxLength: 5 }),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', '\uFEFF', '#!/usr/bin/env node\n'),
  )
  .map(([imports, statements, eol, head]) => {
    const body = [...imports, ...statements].join('\n') + (imports.length > 1 ? '\n' : '')
    return (head + body).replaceAll('\n', eol)
  })

const extras = fc.record(
  {
    'tsconfig.json': fc.constantFrom('{}', '{ "compilerOptions": { "moduleResolution": "node" } }'),
    '.env': fc.constantFrom('', 'A=1', 'MCP_OAUTH_KEYS=x\r\n'),
    '.gitignore': fc.constantFrom('', '.env*', '!.env\n', 'node_modules\r\n'),
    'next.config.js': fc.constantFrom("module.exports = { basePath: '/b' }", ''),
    'vercel.json': fc.constant('{}'),
  },
  { requiredKeys: [] },
)

const project = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...PATHS), source, { minKeys: 1, maxKeys: 3 }),
    fc.subarray(PACKAGES),
    fc.constantFrom('module', 'commonjs', undefined),
    extras,
  )
  .map(([sources, packages, type, more]): Texts => {
    const dependencies = Object.fromEntries(packages.map((name) => [name, '1']))
    return { 'package.json': manifestText(dependencies, { type }), ...more, ...sources }
  })

const options: fc.Arbitrary<PlanOptions> = fc.record(
  {
    upstream: fc.constantFrom('github', 'https://id.example.com', 'session'),
    store: fc.constantFrom(...STORES),
    resourcePath: fc.constantFrom('/mcp', '/a/b'),
    issuer: fc.constantFrom('https://a.example', 'https://a.example/x'),
    port: fc.constant(4000),
  },
  { requiredKeys: [] },
)

describe('of any project', () => {
  it('a second run has nothing to write', () => {
    fc.assert(
      fc.property(project, options, options, (texts, first, second) => {
        const files = filesOf(texts)
        const after = filesOf(carriedOut(files, planOf(files, first)))
        expect(planOf(after, first).writes).toEqual([])
        expect(
          planOf(after, { upstream: second.upstream ?? 'google', store: 'memory' }).writes,
        ).toEqual([])
      }),
      { numRuns: 400 },
    )
  })

  it('every file that is written lies in the project, and is read as code where it is code', () => {
    fc.assert(
      fc.property(project, options, (texts, said) => {
        const { writes, conflicts } = planOf(filesOf(texts), said)
        expect(conflicts).toEqual([])
        for (const { path, old, text } of writes) {
          expect(path).toMatch(/^(?:[\w.@()[\]-]+\/)*[\w.-]+$/)
          expect(path.split('/')).not.toContain('..')
          expect(old).toBe(texts[path])
          if (/\.[cm]?[jt]s$/.test(path)) expect(readCode(text)).toBeDefined()
        }
      }),
      { numRuns: 400 },
    )
  })

  it('of a file that is changed every line stays, in its order, but those that are told', () => {
    fc.assert(
      fc.property(project, options, (texts, said) => {
        for (const { path, old, text } of planOf(filesOf(texts), said).writes) {
          if (old === undefined || !/\.[cm]?[jt]s$/.test(path)) continue
          const kept = old
            .split('\n')
            .filter((line) => !/createMcp|createServer|fetch\(|handler as POST/.test(line))
          let at = 0
          for (const line of kept) {
            const found = text.indexOf(line, at)
            expect(found).toBeGreaterThanOrEqual(at)
            at = found
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  it('edits change what they name, and nothing else', () => {
    const edit = fc.tuple(fc.nat(20), fc.nat(3), fc.string({ maxLength: 3 }))
    fc.assert(
      fc.property(
        fc.string({ minLength: 80, maxLength: 120 }),
        fc.array(edit, { maxLength: 4 }),
        (text, parts) => {
          const plain = text.replaceAll('\n', ' ')
          const edits = parts.map(([gap, length, put], index) => {
            const start = index * 20 + Math.min(gap, 15)
            return { start, end: start + length, text: put.replaceAll('\n', ' ') }
          })
          let expected = plain
          for (const { start, end, text: put } of edits.toReversed()) {
            expected = expected.slice(0, start) + put + expected.slice(end)
          }
          expect(applyEdits(plain, edits)).toBe(expected)
        },
      ),
    )
  })
})
