#!/usr/bin/env node
/**
 * The command line: finds the command and leaves with its status. 0 is well, 1 a fault in what was
 * configured or an outage, 2 a fault in what was typed; 3, of init, an edit that is left to people.
 */
import { suggest } from '../server/config/suggest.ts'
import { HELP } from './help.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Milliseconds. */
const LAST_WORDS = 1000
const COMMANDS = ['init', 'gateway', 'keys', 'store']

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = args
  switch (command) {
    case 'init': {
      const { init } = await import('./init.ts')
      return await init(rest, terminal)
    }
    case 'gateway': {
      const { gateway } = await import('./gateway.ts')
      return await gateway(rest, terminal)
    }
    case 'keys': {
      const { keys } = await import('./keys.ts')
      return await keys(rest, terminal)
    }
    case 'store': {
      const { store } = await import('./store.ts')
      return await store(rest, terminal)
    }
    case '--version':
    case '-v':
      terminal.out(`${version()}\n`)
      return 0
    case '--help':
    case '-h':
    case 'help':
      terminal.out(HELP)
      return 0
    case undefined:
      terminal.fault('name a command; `mcp-oauth --help` lists them')
      return 2
    default:
      terminal.fault(`there is no such command${suggest(command, COMMANDS)}`)
      return 2
  }
}

/** undici is optional, for the library does without it. */
function isMissingPackage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}

const terminal = createTerminal()
try {
  process.exitCode = await run(process.argv.slice(2), terminal)
} catch (error) {
  if (isMissingPackage(error)) terminal.fault('the gateway needs undici: npm install undici@7')
  else terminal.fault(error instanceof Error ? error.message : 'something went wrong')
  process.exitCode = 1
}
// Words that nobody takes keep the process alive, and must not do so for ever.
setTimeout(() => process.exit(), LAST_WORDS).unref()
