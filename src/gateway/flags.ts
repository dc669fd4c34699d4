/**
 * Every flag of `mcp-oauth gateway`: the one table that parsing, environment, help and manual follow.
 *
 * A flag is another spelling of a key of the config file, and so is its environment variable:
 * `--allow-email` is `MCP_OAUTH_ALLOW_EMAIL` and `allow.emails`. Secrets have no flag, because every
 * user of a machine can list the arguments of its processes.
 */
import { STORE, STORES } from './store_setting.ts'

/** How a flag's text becomes the value of its key. */
export type FlagKind =
  | 'text'
  | 'number'
  /** Given or not; in the environment true or false. */
  | 'switch'
  /** Repeated; in the environment parted by commas. */
  | 'list'
  /** `name=words`, repeated; in the environment parted by semicolons. */
  | 'pairs'
  /** `name=word word`, repeated; in the environment parted by semicolons. */
  | 'list_pairs'

export interface Flag {
  readonly name: string
  readonly kind: FlagKind
  /** Where it stands in the config file; undefined when it is about the command itself. */
  readonly key: readonly [string, string?] | undefined
  /** What a switch sets; true where nothing is said. */
  readonly sets?: boolean
  /** What help shows for its value. */
  readonly value?: string
  readonly help: string
  /** False: environment and config file only. */
  readonly onCommandLine?: boolean
}

export const FLAGS: readonly Flag[] = [
  {
    name: 'to',
    kind: 'text',
    key: ['to'],
    value: '<url>',
    help: 'The MCP server behind the gateway, e.g. http://127.0.0.1:9000/mcp. Required.',
  },
  {
    name: 'issuer',
    kind: 'text',
    key: ['issuer'],
    value: '<url>',
    help: 'The public origin of this gateway, e.g. https://mcp.example.com. Default: http://localhost:<port>',
  },
  {
    name: 'resource',
    kind: 'text',
    key: ['resource'],
    value: '<url>',
    help: 'The public URL of the MCP endpoint. Default: the issuer with the path of --to',
  },
  {
    name: 'upstream',
    kind: 'text',
    key: ['upstream', 'name'],
    value: '<name or url>',
    help: 'Who signs users in: a preset such as github, or the issuer URL of an OpenID provider. Required.',
  },
  {
    name: 'upstream-scope',
    kind: 'list',
    key: ['upstream', 'scope'],
    value: '<scope>',
    help: 'A scope to ask of the upstream. May be repeated.',
  },
  {
    name: 'upstream-client-id',
    kind: 'text',
    key: ['upstream', 'client_id'],
    value: '<id>',
    help: 'The client id that the upstream gave you.',
  },
  {
    name: 'upstream-client-secret',
    kind: 'text',
    key: ['upstream', 'client_secret'],
    onCommandLine: false,
    help: 'The client secret that the upstream gave you.',
  },
  {
    name: 'keys',
    kind: 'list',
    key: ['keys'],
    onCommandLine: false,
    help: 'Keys from `mcp-oauth keys generate`, newest first. Required.',
  },
  {
    name: 'store',
    kind: 'text',
    key: ['store'],
    value: '<store>',
    help: `Where sign-ins are kept: ${STORES}. Default: ${STORE}`,
  },
  {
    name: 'port',
    kind: 'number',
    key: ['port'],
    value: '<port>',
    help: 'Where to listen. Default: 8787, or PORT',
  },
  {
    name: 'host',
    kind: 'text',
    key: ['host'],
    value: '<address>',
    help: 'The address to listen on. Default: 127.0.0.1; 0.0.0.0 for every interface',
  },
  {
    name: 'name',
    kind: 'text',
    key: ['name'],
    value: '<name>',
    help: 'What the sign-in pages call this server. Default: the host of the resource',
  },
  {
    name: 'identity',
    kind: 'list',
    key: ['identity'],
    value: '<how>',
    help: 'How the MCP server learns who calls: none, headers, assertion or upstream_token. May be repeated. Default: none',
  },
  {
    name: 'optional',
    kind: 'switch',
    key: ['required'],
    sets: false,
    help: 'Lets initialize, server/discover and the lists pass without a token.',
  },
  {
    name: 'scope',
    kind: 'pairs',
    key: ['scopes'],
    value: '<name=description>',
    help: 'A scope, and the sentence that the consent page shows for it. May be repeated.',
  },
  {
    name: 'tool',
    kind: 'list_pairs',
    key: ['tools'],
    value: '<name=scopes>',
    help: 'A tool, and the scopes it needs, parted by spaces. May be repeated.',
  },
  {
    name: 'allow-email',
    kind: 'list',
    key: ['allow', 'emails'],
    value: '<address>',
    help: 'Lets in only who is named: this verified e-mail address. May be repeated.',
  },
  {
    name: 'allow-domain',
    kind: 'list',
    key: ['allow', 'domains'],
    value: '<domain>',
    help: 'Lets in only who is named: verified e-mail addresses at this domain. May be repeated.',
  },
  {
    name: 'allow-subject',
    kind: 'list',
    key: ['allow', 'subjects'],
    value: '<sub>',
    help: 'Lets in only who is named: this `sub` of the upstream. May be repeated.',
  },
  {
    name: 'trusted-proxy',
    kind: 'list',
    key: ['trustedProxies'],
    value: '<address or range>',
    help: 'A reverse proxy whose X-Forwarded-For is believed. May be repeated.',
  },
  {
    name: 'allow-origin',
    kind: 'list',
    key: ['allowedOrigins'],
    value: '<origin>',
    help: 'A browser origin that may call the MCP endpoint. May be repeated.',
  },
  {
    name: 'config',
    kind: 'text',
    key: undefined,
    value: '<path>',
    help: 'A config file: .json, .js or .mjs, or .ts where the runtime reads it.',
  },
  {
    name: 'check',
    kind: 'switch',
    key: undefined,
    help: 'Judges the settings, tells every fault, and exits with 0 or 1.',
  },
  {
    name: 'dangerously-allow-http',
    kind: 'switch',
    key: ['dangerouslyAllowHttp'],
    help: 'Lets an issuer that is not loopback be plain http. Tokens then cross the network readable.',
  },
  {
    name: 'dangerously-allow-private-cimd',
    kind: 'switch',
    key: ['clientIdMetadataDocuments', 'dangerouslyAllowPrivateAddresses'],
    help: 'Lets client metadata documents be fetched from private addresses.',
  },
  { name: 'help', kind: 'switch', key: undefined, help: 'Shows this.' },
]

/** The environment variable of a flag: `--allow-email` is `MCP_OAUTH_ALLOW_EMAIL`. */
export function environmentName(flag: Flag): string {
  return `MCP_OAUTH_${flag.name.toUpperCase().replaceAll('-', '_')}`
}

/** Whether the environment can set it: a command's own switches belong to the command line. */
export function isInEnvironment(flag: Flag): boolean {
  return flag.key !== undefined || flag.name === 'config'
}
