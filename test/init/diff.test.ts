import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unifiedDiff } from '../../src/scaffold/diff.ts'

/** What `patch` makes of a text with a difference. */
function patched(old: string, diff: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-diff-'))
  try {
    writeFileSync(join(directory, 'f'), old)
    execFileSync('git', ['apply', '--unidiff-zero', '-'], {
      cwd: directory,
      input: diff,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
    })
    return readFileSync(join(directory, 'f'), 'utf8')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe('the difference that is shown', () => {
  it('reads as diff -u writes it', () => {
    const old = Array.from({ length: 12 }, (_, index) => `${index}\n`).join('')
    expect(unifiedDiff('a/b', old, old.replace('6\n', 'six\nand\n'))).toBe(`--- a/a/b
+++ b/a/b
@@ -4,7 +4,8 @@
 3
 4
 5
-6
+six
+and
 7
 8
 9
`)
    expect(unifiedDiff('f', undefined, 'a')).toBe(
      '--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n',
    )
    expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('')
  })

  it('is the change: git makes the one text of the other with it', () => {
    const text = fc
      .tuple(
        fc.array(fc.constantFrom('a', 'b', 'c', '', 'd\r'), { minLength: 1, maxLength: 25 }),
        fc.boolean(),
      )
      .map(([lines, last]) => lines.join('\n') + (last ? '\n' : ''))
    fc.assert(
      fc.property(text, text, (old, next) => {
        fc.pre(old !== next && old !== '' && next !== '')
        expect(patched(old, unifiedDiff('f', old, next))).toBe(next)
      }),
      { numRuns: 60 },
    )
  })

  it('of large files that have nothing in common comes in time', () => {
    const lines = (name: string) =>
      Array.from({ length: 20_000 }, (_, index) => `${name}${index}\n`).join('')
    expect(unifiedDiff('f', lines('a'), lines('b')).length).toBeGreaterThan(200_000)
  })
})
