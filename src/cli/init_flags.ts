/** The flags of `mcp-oauth init`. */
import { parseArgs } from 'node:util'
import { suggest } from '../server/config/suggest.ts'
import { isStore, STORES } from '../scaffold/store_choice.ts'
import { readUpstream } from '../scaffold/upstream_choice.ts'

export const INIT_HELP = `Usage: mcp-oauth init [flags]

Puts sign-in into the MCP server of this directory: Next.js, Hono, Express, Fastify or node:http. Shows
the difference, asks, and writes; run again, it completes what is missing. What is there is never
overwritten without a yes.

  --yes                   Asks nothing, and overwrites nothing. For scripts and agents.
  --dry-run               Shows the difference, and writes nothing.
  --upstream <name|url>   Where users sign in: github, google, slack, …, the issuer URL of an OpenID
                          provider, or session for your app's own login. Default: github, or the one
                          whose <NAME>_CLIENT_ID an environment file has.
  --store <name>          Who is signed in is kept in sqlite, postgres, redis, upstash or memory.
                          Default: what the project has a client for, else sqlite.
  --resource-path <path>  The path of the MCP endpoint, where the code does not say it for certain.
  --entry <file>          The file in which the app is made, where there are several.
  --issuer <url>          Where the server is found from outside. Default: http://localhost:<port>
  --port <port>           The port of that default, where the code does not say it.
  -h, --help              Shows this.

Exit status: 0 all is done · 1 nothing was written, as a file of another content is in the way, or the
project is none that it knows · 2 a flag is wrong · 3 all that is certain is done, and an edit that it
names is left to you.
`

const OPTIONS = {
  yes: { type: 'boolean', short: 'y' },
  'dry-run': { type: 'boolean' },
  upstream: { type: 'string' },
  store: { type: 'string' },
  'resource-path': { type: 'string' },
  entry: { type: 'string' },
  issuer: { type: 'string' },
  port: { type: 'string' },
} as const

export interface Flags {
  readonly yes?: boolean | undefined
  readonly 'dry-run'?: boolean | undefined
  readonly upstream?: string | undefined
  readonly store?: string | undefined
  readonly 'resource-path'?: string | undefined
  readonly entry?: string | undefined
  readonly issuer?: string | undefined
  readonly port?: string | undefined
}

/** The flags, or what is wrong with how they are typed. */
export function readFlags(args: readonly string[]): Flags | string {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch {
    const known = Object.keys(OPTIONS).map((name) => `--${name}`)
    const strange = args.find(
      (arg) => !known.includes(arg.split('=')[0] ?? '') && arg.startsWith('-'),
    )
    return strange === undefined
      ? 'init takes flags only, each with its value: mcp-oauth init --help'
      : `init does not know ${strange}${suggest(strange, known)}`
  }
}

/** What is wrong with their values. */
export function judgeFlags(flags: Flags): readonly string[] {
  const { upstream, store, port, issuer, 'resource-path': path } = flags
  const read = upstream === undefined ? undefined : readUpstream(upstream)
  return [
    ...(read !== undefined && 'fault' in read ? [`--upstream: ${read.fault}`] : []),
    ...(store === undefined || isStore(store) ? [] : [`--store must be ${STORES.join(', ')}`]),
    ...(port === undefined || isPort(port) ? [] : ['--port must be a number up to 65535']),
    ...(issuer === undefined || isIssuer(issuer)
      ? []
      : ['--issuer must be an origin such as https://mcp.example.com, with a path if you like']),
    ...(path === undefined || /^(?:\/[\w.~-]+)+$/.test(path)
      ? []
      : ['--resource-path must be a path such as /mcp']),
  ]
}

function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536
}

function isIssuer(text: string): boolean {
  return /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~-]+)*$/.test(text) && URL.canParse(text)
}
