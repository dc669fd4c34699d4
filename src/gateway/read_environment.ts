/** The environment, read by the table of flags: `MCP_OAUTH_<FLAG>`, and `PORT` as platforms set it. */
import { setFlag, type Draft, type Reading } from './draft.ts'
import { environmentName, FLAGS, isInEnvironment, type Flag } from './flags.ts'
import { suggest } from '../server/config/suggest.ts'

export type Environment = Readonly<{ [name: string]: string | undefined }>

const KNOWN: ReadonlyMap<string, Flag> = new Map(
  FLAGS.filter(isInEnvironment).map((flag) => [environmentName(flag), flag]),
)
// A Kubernetes service called mcp-oauth puts these into every pod beside it.
const KUBERNETES = /^MCP_OAUTH_(SERVICE_|PORT_\d)/

/** Every setting in `environment`. An unknown name is only warned of, for others may own it. */
export function readEnvironment(environment: Environment): Reading {
  const draft: Draft = {}
  const faults: string[] = []
  for (const [name, flag] of KNOWN) {
    const text = valueOf(environment, name, flag)
    if (text === undefined || text === '') continue
    const fault = flag.kind === 'switch' ? setSwitch(draft, flag, text) : setText(draft, flag, text)
    if (fault !== undefined) faults.push(`${name} ${fault}`)
  }
  return { draft, faults, warnings: unknownNames(environment) }
}

function valueOf(environment: Environment, name: string, flag: Flag): string | undefined {
  const value = environment[name]
  if (flag.name !== 'port') return value
  return value === undefined || value.startsWith('tcp://') ? environment['PORT'] : value
}

function setSwitch(draft: Draft, flag: Flag, text: string): string | undefined {
  if (/^(true|1|yes|on)$/i.test(text)) return setFlag(draft, flag, [])
  const sets = !(flag.sets ?? true)
  return /^(false|0|no|off)$/i.test(text)
    ? setFlag(draft, { ...flag, sets }, [])
    : 'is neither true nor false'
}

function setText(draft: Draft, flag: Flag, text: string): string | undefined {
  return setFlag(draft, flag, split(flag, text))
}

function split(flag: Flag, text: string): readonly string[] {
  if (flag.kind === 'text' || flag.kind === 'number') return [text]
  return text
    .split(flag.kind === 'list' ? ',' : ';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function unknownNames(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('MCP_OAUTH_') && !KNOWN.has(name) && !KUBERNETES.test(name))
    .map((name) => `${name} is in the environment but not known${suggest(name, KNOWN.keys())}`)
}
