/** What `init` sends people to read is in the package that they have, which has no `docs`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const TEXT = [
  'src/cli/init.ts',
  ...readdirSync(join(ROOT, 'src/scaffold')).map((name) => `src/scaffold/${name}`),
]
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n')

describe('the documents that init names', () => {
  const named = [...TEXT.matchAll(/\b(?:references\/\w+|SKILL)\.md\b/g)].map(([path]) => path)

  it('are in the skill, which is in the package', () => {
    expect(named.length).toBeGreaterThan(2)
    for (const path of named) {
      expect(existsSync(join(ROOT, 'skills/mcp-oauth', path)), path).toBe(true)
    }
  })

  it('and none is in the repository alone', () => {
    expect(TEXT).not.toMatch(/\bdocs\/\w+\.md/)
  })
})
