/** `mcp-oauth keys generate`: a new key, on standard output alone, so that it can go into a file. */
import { generateKey } from '../crypto/keyring.ts'
import type { Terminal } from './terminal.ts'
import { suggest } from '../gateway/suggest.ts'

export const KEYS_HELP = `Usage: mcp-oauth keys generate [--env]

Prints a new key. Put it first in MCP_OAUTH_KEYS; the keys behind it still open what they sealed.

  --env     Prints it as MCP_OAUTH_KEYS=<key>, for an environment file.
  --help    Shows this.
`

/** @returns the exit status. */
export function keys(args: readonly string[], terminal: Terminal): number {
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(KEYS_HELP)
    return 0
  }
  const [verb, ...rest] = args
  const strange = rest.find((arg) => arg !== '--env')
  if (verb !== 'generate') {
    terminal.fault(
      `keys has one command, generate${verb === undefined ? '' : suggest(verb, ['generate'])}`,
    )
    return 2
  }
  if (strange !== undefined) {
    terminal.fault(`keys generate takes only --env${suggest(strange, ['--env'])}`)
    return 2
  }
  terminal.out(`${rest.includes('--env') ? 'MCP_OAUTH_KEYS=' : ''}${generateKey()}\n`)
  return 0
}
