/** The help texts, made from the table that the flags are parsed by. */
import { environmentName, FLAGS, isInEnvironment, type Flag } from '../gateway/flags.ts'

export const HELP = `Usage: mcp-oauth <command> [flags]

Commands:
  init               Puts sign-in into the MCP server of this directory.
  gateway            Puts sign-in in front of any MCP server.
  keys generate      Prints a new key for MCP_OAUTH_KEYS.
  keys rotate        Seals anew what older keys have sealed.
  store copy         Copies every record to another store.
  store adopt-skill  Takes over the sign-ins of a server that the mcp-oauth skill made.

  --help             Shows this; behind a command, what that command takes.
  --version          Shows the version.

To begin:
  export MCP_OAUTH_KEYS=$(mcp-oauth keys generate)
  mcp-oauth gateway --to http://127.0.0.1:9000/mcp --upstream github
or, in a server of your own:
  mcp-oauth init
`

const WIDTH = 92

/** The help of `mcp-oauth gateway`. */
export function gatewayHelp(): string {
  const onCommandLine = FLAGS.filter((flag) => flag.onCommandLine !== false)
  const secrets = FLAGS.filter((flag) => flag.onCommandLine === false)
  return [
    'Usage: mcp-oauth gateway --to <url> --upstream <name or url> [flags]',
    '',
    'Puts sign-in in front of the MCP server at <url>. Flags win over the environment, the',
    'environment over the config file, and what is said nowhere has its default.',
    '',
    'Flags:',
    ...onCommandLine.flatMap((flag) => entry(title(flag), described(flag))),
    '',
    'Only in the environment or the config file:',
    ...secrets.flatMap((flag) => entry(environmentName(flag), flag.help)),
    '',
  ].join('\n')
}

function title(flag: Flag): string {
  const short = flag.name === 'help' ? '-h, ' : ''
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`
}

function described(flag: Flag): string {
  return isInEnvironment(flag) ? `${flag.help} (${environmentName(flag)})` : flag.help
}

function entry(name: string, text: string): readonly string[] {
  return [`  ${name}`, ...wrap(text, WIDTH - 6).map((line) => `      ${line}`)]
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + word.length + 1 > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
