/** `docs/next.md` shows files of the example, whole, and lines of a project that the tests build. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const EXAMPLE = join(ROOT, 'examples/next-upstash')
const PROJECT = join(import.meta.dirname, 'projects/next')
const BLOCK = /^```typescript\n\/\/ (\S+?)(, in part)?\n([\s\S]*?)^```/gm

const text = readFileSync(join(ROOT, 'docs/next.md'), 'utf8')
const blocks = [...text.matchAll(BLOCK)].map(([, path = '', part, code = '']) => {
  const whole = part === undefined && existsSync(join(EXAMPLE, path))
  return { path, part: part !== undefined, code, folder: whole ? EXAMPLE : PROJECT }
})

it('every block is one of these', () => {
  expect(blocks).toHaveLength(text.match(/^```typescript/gm)?.length ?? 0)
  expect(text.match(/^```ts$/gm)).toBeNull()
})

it.each(blocks)('$path is as it is there', ({ path, part, code, folder }) => {
  const file = readFileSync(join(folder, path), 'utf8')
  if (part) expect(file).toContain(code.trimEnd())
  else expect(code).toBe(file)
})

it.each([
  ['the server', EXAMPLE, 'lib/mcp_oauth.ts'],
  ['the endpoint', EXAMPLE, 'app/mcp/route.ts'],
  ['the OAuth routes', EXAMPLE, 'app/oauth/[...path]/route.ts'],
  ['the metadata', EXAMPLE, 'app/.well-known/[...path]/route.ts'],
  ['the old paths', EXAMPLE, 'next.config.ts'],
  ['the check at the start', PROJECT, 'instrumentation.ts'],
])('%s is shown whole', (_, folder, path) => {
  expect(blocks.filter(({ part }) => !part)).toContainEqual(
    expect.objectContaining({ folder, path }),
  )
})

it('names the versions that were tried', () => {
  const { dependencies } = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8')) as {
    dependencies: { readonly [name: string]: string }
  }
  expect(text).toContain(`tried with ${dependencies['next']}`)
  const [major, minor] = (dependencies['mcp-handler'] ?? '').split('.')
  expect(text).toContain(`(https://github.com/vercel/mcp-handler) ${major}.${minor}`)
})
