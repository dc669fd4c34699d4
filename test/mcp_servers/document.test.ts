/**
 * `docs/mcp_servers.md` shows what the servers of the tests are. It is made anew, in place, with
 * `npx vitest run test/mcp_servers/document.test.ts -u`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { diff } from './diff.ts'

const DOCUMENT = resolve(import.meta.dirname, '../../docs/mcp_servers.md')
const PROJECTS = join(import.meta.dirname, 'projects')

/** The same change as one that is shown. */
const UNSHOWN = ['mcp_handler_1/mcp_handler.ts', 'mcp_handler_1/with_mcp_auth.ts']

const document = readFileSync(DOCUMENT, 'utf8')
const SHOWN = /^<!-- diff (\S+) -->\n(?:\n```diff\n[\s\S]*?^```\n)?/gm

function change(path: string): string {
  const [project = '', ...names] = path.split('/')
  const [before = '', after = ''] = ['before', 'after'].map((when) => {
    const file = join(PROJECTS, project, when, 'src', ...names)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  })
  return diff(before, after)
}

it('shows each change as it is, and the file that all servers have', async () => {
  const made = document
    .replace(
      SHOWN,
      (_, path: string) => `<!-- diff ${path} -->\n\n\`\`\`diff\n${change(path)}\n\`\`\`\n`,
    )
    .replace(
      /^```ts\n\/\/ mcp_oauth\.ts\n[\s\S]*?^```\n/m,
      () =>
        `\`\`\`ts\n// mcp_oauth.ts\n${readFileSync(join(PROJECTS, 'mcp_oauth.ts'), 'utf8')}\`\`\`\n`,
    )
  await expect(made).toMatchFileSnapshot(DOCUMENT)
})

it('leaves no change out', () => {
  const shown = [...document.matchAll(SHOWN)].map(([, path]) => path)
  const changed = readdirSync(PROJECTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(PROJECTS, name, 'after/src'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => `${name}/${file}`),
    )
    .filter((path) => change(path) !== '')
  expect([...shown, ...UNSHOWN].toSorted()).toEqual(changed.toSorted())
})

it.each(UNSHOWN)('%s is the change of mcp-handler 2, but for how a tool is called', (path) => {
  const inV1 = change(path.replace('mcp_handler_1', 'sdk_v2'))
    .replaceAll('http?.authInfo', 'authInfo')
    .replaceAll('{ http }', '{ authInfo }')
    .replace(/^\+.*(?:scopeChallenge|requireScopes).*\n/gm, '')
  const added = (text: string) => text.split('\n').filter((line) => line.startsWith('+'))
  expect(added(change(path))).toEqual(added(inV1))
})

it('names the versions that were tried', () => {
  const table = document.slice(0, document.indexOf('\n\n['))
  for (const project of ['sdk_v2', 'sdk_v1', 'mcp_handler_1', 'fastmcp', 'xmcp']) {
    const { dependencies } = JSON.parse(
      readFileSync(join(PROJECTS, project, 'package.json'), 'utf8'),
    ) as { dependencies: { readonly [name: string]: string } }
    for (const [name, version] of Object.entries(dependencies)) {
      if (
        /^(@modelcontextprotocol\/(express|hono|node|server)|mcp-handler|fastmcp|xmcp)$/.test(name)
      )
        expect(table, name).toContain(version)
    }
  }
})
