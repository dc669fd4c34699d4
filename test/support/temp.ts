/** A directory of a test's own, gone after the tests of its file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Makes the directory and gives a function that names a fresh file in it. */
export function tempFiles(extension: string): () => string {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-'))
  let made = 0
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return () => join(directory, `${(made += 1)}${extension}`)
}
