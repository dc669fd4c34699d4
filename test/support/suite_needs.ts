/**
 * Suites that need a program of the system. Where there is none they fail in CI, and elsewhere a line tells
 * of what was not tested, as that should not look like what was.
 */

/** The part of vitest's `describe` that is needed here. */
type Describe = (name: string, body: () => void) => unknown

export type Suite = (
  describe: Describe & { readonly skip: Describe },
  name: string,
  body: () => void,
) => void

/** `describe` for suites that need `program`, which is of this package of Debian. */
export function suiteThatNeeds(program: string, debian: string, isThere: () => boolean): Suite {
  return (describe, name, body) => {
    if (isThere()) {
      describe(name, body)
      return
    }
    const why = `no ${program} for "${name}"; apt-get install ${debian}`
    if (process.env['CI']) throw new Error(why)
    process.stderr.write(`NOT TESTED: ${why}\n`)
    describe.skip(name, body)
  }
}
