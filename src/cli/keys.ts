/** `mcp-oauth keys`: generates a new key, on standard output alone, so that it can go into a file; or rotates. */
import { generateKey } from '../crypto/keyring.ts'
import { KEYS_ROTATE_HELP, keysRotate } from './keys_rotate.ts'
import type { Terminal } from './terminal.ts'
import { suggest } from '../server/config/suggest.ts'

export const KEYS_HELP = `Usage: mcp-oauth keys generate [--env]

Prints a new key. Put it first in MCP_OAUTH_KEYS; the keys behind it still open what they sealed.

  --env     Prints it as MCP_OAUTH_KEYS=<key>, for an environment file.
  --help    Shows this.
`

/** @returns the exit status. */
export async function keys(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(args[0] === 'rotate' ? KEYS_ROTATE_HELP : `${KEYS_HELP}\n${KEYS_ROTATE_HELP}`)
    return 0
  }
  const [verb, ...rest] = args
  if (verb === 'rotate') return await keysRotate(rest, terminal)
  const strange = rest.find((arg) => arg !== '--env')
  if (verb !== 'generate') {
    terminal.fault(
      `keys has two commands, generate and rotate${verb === undefined ? '' : suggest(verb, ['generate', 'rotate'])}`,
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
