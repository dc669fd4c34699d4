/** The command line of `mcp-oauth gateway`, read by the table of flags. */
import { parseArgs } from 'node:util'
import { setFlag, type Draft, type Reading } from './draft.ts'
import { FLAGS, type Flag } from './flags.ts'
import { suggest } from '../server/config/suggest.ts'

const BY_NAME: ReadonlyMap<string, Flag> = new Map(
  FLAGS.filter((flag) => flag.onCommandLine !== false).map((flag) => [flag.name, flag]),
)
const SHORT = { h: 'help' }

/** Every flag in `args`, and every fault in how they are written. */
export function readFlags(args: readonly string[]): Reading {
  const faults: string[] = []
  const given = new Map<Flag, string[]>()
  let strange = false
  for (const token of parse(args).tokens) {
    if (token.kind === 'positional') {
      // Behind an unknown flag stands its value, which may be a secret and is not repeated.
      if (!strange) faults.push(`${quote(token.value)} is not expected here`)
      strange = false
    }
    if (token.kind !== 'option') continue
    const flag = BY_NAME.get(token.name)
    const fault = flag === undefined ? unknown(token.name) : misuse(flag, token.value)
    strange = flag === undefined && token.value === undefined
    if (fault !== undefined) faults.push(fault)
    else if (flag !== undefined) given.set(flag, [...(given.get(flag) ?? []), token.value ?? ''])
  }
  const draft: Draft = {}
  for (const [flag, values] of given) {
    const fault = setFlag(draft, flag, values)
    if (fault !== undefined) faults.push(`--${flag.name} ${fault}`)
  }
  return { draft, faults }
}

function parse(args: readonly string[]) {
  const options = Object.fromEntries(
    [...BY_NAME.values()].map(({ name, kind }) => [
      name,
      { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), multiple: true },
    ]),
  )
  const short = Object.entries(SHORT).map(([letter, name]) => ({ letter, name }))
  for (const { letter, name } of short) Object.assign(options[name] ?? {}, { short: letter })
  // Not strict: node stops at the first fault, and all of them are to be told.
  return parseArgs({ args: [...args], options, strict: false, tokens: true })
}

function misuse(flag: Flag, value: string | undefined): string | undefined {
  if (flag.kind === 'switch')
    return value === undefined ? undefined : `--${flag.name} takes no value`
  // `--to --issuer x` would take the next flag for a value.
  if (value === undefined || value.startsWith('--')) return `--${flag.name} needs ${flag.value}`
  return undefined
}

function unknown(name: string): string {
  const secret = FLAGS.find((flag) => flag.name === name)
  if (secret !== undefined) {
    return `--${name} is a secret and has no flag; set it in the environment or the config file`
  }
  return `--${quote(name)} is not known${suggest(name, BY_NAME.keys()).replace('mean ', 'mean --')}`
}

/** What somebody typed, safe for a terminal. */
function quote(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, '?')
}
