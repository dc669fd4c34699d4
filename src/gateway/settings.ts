/**
 * The settings of the gateway: flags over environment over config file over defaults.
 *
 * All of them are read before anything is judged, so that every fault is told at once.
 */
import { readConfigFile } from './config_file.ts'
import { CONFIG_FILE, type ConfigFile } from './config_shape.ts'
import { layOver, type Draft, type Reading } from './draft.ts'
import { readEnvironment, type Environment } from './read_environment.ts'
import { readFlags } from './read_flags.ts'
import { judgeShape } from './shape.ts'

/** What was asked for, laid together; well formed where `faults` is empty, and not yet sound. */
export interface Settings {
  readonly config: ConfigFile
  readonly check: boolean
  readonly help: boolean
  /** What is wrong with the command line itself: bad usage. */
  readonly usage: readonly string[]
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
}

/** Reads `args` (behind the command's name), the environment, and the file that one of them names. */
export async function readSettings(
  args: readonly string[],
  environment: Environment,
): Promise<Settings> {
  const flags = readFlags(args)
  const variables = readEnvironment(environment)
  const { config: path, check, help, ...asked } = layOver(flags.draft, variables.draft)
  const file = await readFile(path)
  const draft = layOver(named(asked), named(file.draft))
  // What is ill formed is left out, so that the rest can still be judged.
  const faults = judgeShape(file.draft, CONFIG_FILE, '')
  const late = judgeShape(draft, CONFIG_FILE, '').filter((fault) => !faults.includes(fault))
  return {
    config: wellFormed(draft),
    check: check === true,
    help: help === true,
    usage: flags.faults,
    faults: [...variables.faults, ...file.faults, ...faults, ...late],
    warnings: variables.warnings ?? [],
  }
}

async function readFile(path: unknown): Promise<Reading> {
  return typeof path === 'string' ? await readConfigFile(path) : { draft: {}, faults: [] }
}

/** `upstream: 'github'` is short for `upstream: { name: 'github' }`, which flags can add to. */
function named(draft: Draft): Draft {
  return typeof draft['upstream'] === 'string'
    ? { ...draft, upstream: { name: draft['upstream'] } }
    : draft
}

function wellFormed(draft: Draft): ConfigFile {
  const kept = Object.entries(draft).filter(([name, value]) => isWellFormed(name, value))
  const config: ConfigFile = Object.fromEntries(kept)
  return config
}

function isWellFormed(name: string, value: unknown): boolean {
  return judgeShape({ [name]: value }, CONFIG_FILE, '').length === 0
}
