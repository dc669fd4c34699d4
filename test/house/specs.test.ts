/** `SPECS.md` says what the sources and the tests say. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

it('SPECS.md is current', () => {
  const script = resolve(import.meta.dirname, '../../scripts/specs.js')
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
