/** Suites that need Python: where there is none they fail in CI, and elsewhere a line tells of them. */
import { spawnSync } from 'node:child_process'

/** The part of vitest's `describe` that is needed here. */
type Describe = (name: string, body: () => void) => unknown

export function pythonSuite(
  describe: Describe & { readonly skip: Describe },
  name: string,
  body: () => void,
): void {
  if (spawnSync('python3', ['--version']).error === undefined) {
    describe(name, body)
    return
  }
  if (process.env['CI']) throw new Error(`no python3 for "${name}"; apt-get install python3`)
  process.stderr.write(`NOT TESTED: ${name}, as there is no python3. apt-get install python3\n`)
  describe.skip(name, body)
}
