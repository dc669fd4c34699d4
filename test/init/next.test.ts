import { describe, expect, it } from 'vitest'
import {
  carriedOut,
  fileAfter,
  filesOf,
  manifestText,
  planOf,
  recognitionOf,
  type PlanOptions,
  type Texts,
} from './support.ts'

const NEXT = { next: '16.4.5', 'mcp-handler': '2.4.0' }
const ROUTE = `import { createMcpHandler } from "mcp-handler";

const handler = createMcpHandler((server) => {
  server.registerTool("a", {}, async () => ({ content: [] }));
});

export { handler as GET, handler as POST };
`
const ALIAS =
  '{ "compilerOptions": { "moduleResolution": "bundler", "paths": { "@/*": ["./*"] } } }'

function app(texts: Texts, packages: Texts = NEXT) {
  return filesOf({
    'package.json': manifestText(packages, { type: undefined }),
    'tsconfig.json': ALIAS,
    ...texts,
  })
}

function planned(texts: Texts, options: PlanOptions = {}, packages: Texts = NEXT) {
  const files = app(texts, packages)
  const plan = planOf(files, options)
  return { files, plan, after: (path: string) => fileAfter(files, plan, path) }
}

describe('Next.js', () => {
  it('the handler is guarded, and preflights are answered', () => {
    const { after, plan } = planned({ 'app/api/mcp/route.ts': ROUTE })
    expect(after('app/api/mcp/route.ts')).toBe(`import { createMcpHandler } from "mcp-handler";
import { auth } from "@/lib/mcp_oauth";

const handler = auth.protect(createMcpHandler((server) => {
  server.registerTool("a", {}, async () => ({ content: [] }));
}));

export { handler as GET, handler as POST, handler as OPTIONS };
`)
    expect(after('app/oauth/[...path]/route.ts'))
      .toBe(`import { toNextHandlers } from "@mcp-oauth/server/next";
import { auth } from "@/lib/mcp_oauth";

export const { GET, POST, OPTIONS } = toNextHandlers(auth);
`)
    expect(after('app/.well-known/[...path]/route.ts')).toBe(after('app/oauth/[...path]/route.ts'))
    expect([plan.issuer, plan.resource]).toEqual([
      'http://localhost:3000/oauth',
      'http://localhost:3000/api/mcp',
    ])
    expect(after('lib/mcp_oauth.ts')).toContain(
      String.raw`resource: issuer.replace(/\/oauth$/, "/api/mcp"),`,
    )
    expect(after('.env.local')).toContain('MCP_OAUTH_ISSUER=http://localhost:3000/oauth\n')
    expect(plan.notes).toEqual([expect.stringContaining('on Vercel take --store upstash')])
    expect(planned({ 'app/api/mcp/route.ts': ROUTE }, { store: 'upstash' }).plan.notes).toEqual([])
    // With another path at its end nothing would be found.
    expect(after('.env.example')).toContain(
      '# Where this server is found from outside, with /oauth at its end.\n',
    )
    expect(plan.left).toEqual([])
    const elsewhere = filesOf(carriedOut(app({ 'app/api/mcp/route.ts': ROUTE }), plan))
    expect(planOf(elsewhere).left).toEqual([])
    expect(planOf(elsewhere, { resourcePath: '/mcp' }).left).toEqual([
      ['lib/mcp_oauth.ts: `resource` must end in /mcp, where the MCP endpoint is'],
    ])
  })

  it.each<[string, string, string, string]>([
    ['below src, by the alias', 'src/app/mcp/route.ts', '"@/*": ["./src/*"]', '@/lib/mcp_oauth'],
    [
      'below src, without an alias',
      'src/app/mcp/route.ts',
      '"~/*": ["./src/*"]',
      '../../lib/mcp_oauth',
    ],
    [
      'in app, without an alias',
      'app/api/mcp/route.ts',
      '"@/*": ["./src/*"]',
      '../../../lib/mcp_oauth',
    ],
    ['in a group', 'app/(api)/mcp/route.ts', '"@/*": ["./*"]', '@/lib/mcp_oauth'],
  ])('%s', (_, route, paths, specifier) => {
    const { after, plan } = planned({
      [route]: ROUTE,
      'tsconfig.json': `{ "compilerOptions": { "paths": { ${paths} } } }`,
    })
    expect(after(route)).toContain(`from "${specifier}"`)
    expect(plan.module).toBe(route.startsWith('src/') ? 'src/lib/mcp_oauth.ts' : 'lib/mcp_oauth.ts')
  })

  it.each([
    ['app/mcp/route.ts', '/mcp'],
    ['app/api/[transport]/route.ts', '/api/mcp'],
    ['src/app/(a)/@b/x/mcp/route.js', '/x/mcp'],
    ['app/[tenant]/mcp/route.ts', undefined],
    ['app/mcp/[[...rest]]/route.ts', undefined],
  ])('the path of %s', (route, path) => {
    expect(recognitionOf(app({ [route]: ROUTE })).mcpPath).toBe(path)
  })

  it.each<[string, string]>([
    ['withMcpAuth', ROUTE.replace('{ createMcpHandler }', '{ createMcpHandler, withMcpAuth }')],
    [
      'a handler that is made for each request',
      ROUTE.replace(
        'const handler = createMcpHandler(',
        'const handler = (request: Request) => createMcpHandler(',
      ).replace('});\n\nexport', '})(request);\n\nexport'),
    ],
    ['two handlers', `${ROUTE}const other = createMcpHandler(() => {});\n`],
    [
      'SDK v2 without mcp-handler',
      `import { createMcpHandler } from '@modelcontextprotocol/server';\nconst handler = createMcpHandler(make);\nexport const POST = (request: Request) => handler.fetch(request);\n`,
    ],
  ])('is left to people where it is not certain: %s', (_, route) => {
    const { after, plan } = planned({ 'app/mcp/route.ts': route })
    expect(after('app/mcp/route.ts')).toBe(route)
    expect(plan.left.flat().join('\n')).toContain('const guarded = auth.protect(handler);')
    expect(after('app/oauth/[...path]/route.ts')).toContain('toNextHandlers')
  })

  it('old routes of a pasted sign-in are named, and none is deleted', () => {
    const old = [
      'app/api/authorize/route.ts',
      'app/api/token/route.ts',
      'app/api/callback/route.ts',
      'app/api/register/route.ts',
    ]
    const { plan, files } = planned({
      'app/mcp/route.ts': ROUTE,
      ...Object.fromEntries(old.map((path) => [path, 'export {}\n'])),
      'app/.well-known/oauth-protected-resource/route.ts': 'export {}\n',
      'app/.well-known/oauth-authorization-server/route.ts': 'export {}\n',
    })
    expect(plan.notes.filter((note) => note.includes('can go'))).toHaveLength(4)
    expect(plan.left.flat().filter((line) => line.includes('delete it'))).toHaveLength(2)
    for (const path of old) expect(carriedOut(files, plan)[path]).toBe('export {}\n')
  })

  it('a folder that is taken is not taken again', () => {
    const { after, plan } = planned({
      'app/mcp/route.ts': ROUTE,
      'app/oauth/google/route.ts': 'export {}\n',
    })
    expect(plan.issuer).toBe('http://localhost:3000/mcp-oauth')
    expect(after('app/mcp-oauth/[...path]/route.ts')).toContain('toNextHandlers')
  })

  it('the path of an issuer that is said names the folder', () => {
    const { after, plan } = planned(
      { 'app/mcp/route.ts': ROUTE },
      { issuer: 'https://a.example/sign-in' },
    )
    expect(plan.issuer).toBe('https://a.example/sign-in')
    expect(after('app/sign-in/[...path]/route.ts')).toContain('toNextHandlers')
    const bare = planned({ 'app/mcp/route.ts': ROUTE }, { issuer: 'https://a.example' })
    expect([bare.plan.issuer, bare.plan.resource]).toEqual([
      'https://a.example/oauth',
      'https://a.example/mcp',
    ])
  })

  it('what the configuration does is told, and what sees each request', () => {
    const { after, plan } = planned({
      'app/mcp/route.ts': ROUTE,
      'next.config.mjs': "export default { basePath: '/base', trailingSlash: true }\n",
      'middleware.ts': 'export {}\n',
    })
    expect([plan.issuer, plan.resource]).toEqual([
      'http://localhost:3000/base/oauth',
      'http://localhost:3000/base/mcp',
    ])
    expect(after('app/oauth/[...path]/route.ts')).toContain('basePath: "/base",')
    expect(plan.left.flat().join('\n')).toMatch(/rewritten to the app[^]*skipTrailingSlashRedirect/)
    expect(plan.notes.join()).toContain('middleware sees every request')
  })

  it('at Vercel the store is Upstash, and the caller is told by a header', () => {
    const { after } = planned({ 'app/mcp/route.ts': ROUTE, 'vercel.json': '{}' })
    expect(after('lib/mcp_oauth.ts')).toContain('store: upstashFromEnvironment(process.env),')
    // A package of Vercel's is no proof that it runs there, and elsewhere callers write that header.
    expect(after('app/oauth/[...path]/route.ts')).toMatch(
      /process\.env\.VERCEL === .1. \? \(headers\.get\(.x-forwarded-for.\) \?\? undefined\) : undefined/,
    )
    expect(after('.env.example')).toContain('KV_REST_API_TOKEN=\n')
  })

  it('JavaScript stays JavaScript', () => {
    const files = filesOf({
      'package.json': manifestText(NEXT),
      'jsconfig.json': ALIAS,
      'app/mcp/route.js': ROUTE,
    })
    const plan = planOf(files)
    expect(plan.module).toBe('lib/mcp_oauth.js')
    expect(plan.writes.map(({ path }) => path)).toContain('app/oauth/[...path]/route.js')
  })

  it('a file of another content stays', () => {
    const { plan } = planned({
      'app/mcp/route.ts': ROUTE,
      'app/.well-known/[...path]/route.ts': 'export {}\n',
    })
    expect(plan.conflicts.map(({ path }) => path)).toEqual(['app/.well-known/[...path]/route.ts'])
  })

  it('run again there is nothing to write, whatever is said', () => {
    for (const options of [{}, { issuer: 'https://a.example/oauth' }, { resourcePath: '/mcp' }]) {
      const files = app({ 'app/mcp/route.ts': ROUTE })
      const after = filesOf(carriedOut(files, planOf(files, options)))
      const again = planOf(after, options)
      expect([again.writes, again.conflicts, again.left]).toEqual([[], [], []])
    }
  })

  it('an issuer of one run is that of the next', () => {
    const files = app({ 'app/mcp/route.ts': ROUTE })
    const after = filesOf(carriedOut(files, planOf(files, { issuer: 'https://a.example/sign-in' })))
    const again = planOf(after)
    expect([again.writes, again.issuer]).toEqual([[], 'https://a.example/sign-in'])
  })
})
