/**
 * Judges the options, once and all at once: every fault with the option it is in and the rule it breaks.
 *
 * What comes out is complete, canonical and frozen. Nothing later looks at an option again.
 */
import { judgeKeys } from '../../crypto/keyring.ts'
import { judgeClients, judgeResourceServers } from './judge_clients.ts'
import { judgeLimits } from './judge_limits.ts'
import { judgeNames } from './judge_names.ts'
import { judgeResources } from './judge_resources.ts'
import { judgeScopes } from './judge_scopes.ts'
import { judgeAllow } from './judge_allow.ts'
import type { Config } from './context.ts'
import type { Fault } from './fault.ts'
import type { Options } from './options.ts'

/** Everything that is wrong with the options of `createMcpOAuth`. */
export class OptionsError extends Error {
  override readonly name: string = 'OptionsError'
  /** One sentence a fault, beginning with the option. */
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`createMcpOAuth cannot start:\n${faults.map((fault) => `- ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

/** What `judgeOptions` finds. */
export interface Judgement {
  readonly config: Config
  readonly keys: readonly string[]
  /** What is allowed and dangerous, to be told at the start. */
  readonly dangers: readonly string[]
}

/** @throws OptionsError naming every fault */
export function judgeOptions(options: Options): Judgement {
  const faults: string[] = []
  const fault: Fault = (option, rule) => void faults.push(`${option} ${rule}`)

  judgeNames(options, fault)
  const issuer = judgeIssuer(options, fault)
  const scopes = judgeScopes(options, fault)
  const resources = judgeResources(options, scopes, fault)
  const config: Config = {
    ...issuer,
    ...scopes,
    resources,
    name: options.name ?? hostOf(resources[0]?.resource ?? issuer.issuer),
    clients: judgeClients(options, fault),
    resourceServers: judgeResourceServers(options, resources, fault),
    allow: judgeAllow(options, fault),
    ...judgeLimits(options, fault),
  }
  const keys = listKeys(options.keys)
  for (const one of judgeKeys(keys)) fault('keys:', one)
  judgeParts(options, fault)
  if (faults.length > 0) throw new OptionsError(faults)
  return { config: Object.freeze(config), keys, dangers: dangersOf(config) }
}

type Issuer = Pick<Config, 'issuer' | 'origin' | 'basePath' | 'secure'>

function judgeIssuer({ issuer, dangerouslyAllowHttp }: Options, fault: Fault): Issuer {
  // RFC 8414 §2: an https URL without query and fragment. It is compared as text, so one spelling only.
  const example = 'must be an origin such as https://mcp.example.com, with a path if you like'
  if (typeof issuer !== 'string' || !URL.canParse(issuer)) {
    fault('issuer', example)
    return { issuer: '', origin: '', basePath: '', secure: true }
  }
  const url = new URL(issuer)
  const canonical = url.href.replace(/\/$/, '')
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    fault('issuer', 'must have no query, fragment or user (RFC 8414 section 2)')
  } else if (canonical !== issuer) {
    fault('issuer', `must be spelt ${canonical}`)
  }
  const secure = url.protocol === 'https:'
  // OAuth 2.1 §1.5: https, but for loopback.
  if (
    !secure &&
    !(url.protocol === 'http:' && (isLoopback(url) || dangerouslyAllowHttp === true))
  ) {
    fault('issuer', 'must be https (http only on localhost, 127.0.0.1 or [::1])')
  }
  const basePath = url.pathname === '/' ? '' : url.pathname
  return { issuer, origin: url.origin, basePath, secure }
}

function judgeParts({ store, upstream }: Options, fault: Fault): void {
  const verbs = ['find', 'insert', 'replace', 'take', 'list', 'scan', 'deleteExpired', 'close']
  const missing = verbs.filter((verb) => typeof Reflect.get(store ?? {}, verb) !== 'function')
  if (missing.length > 0) fault('store', 'must be a store, such as sqlite("mcp-oauth.db")')
  if (upstream?.type !== 'redirect' && upstream?.type !== 'session') {
    fault('upstream', 'must be an upstream, such as github({ … }), oidc({ … }) or session({ … })')
  }
}

/** Keys as a list, also from the form `a,b` that an environment variable has. */
export function listKeys(keys: string | readonly string[] | undefined): readonly string[] {
  if (typeof keys !== 'string') return keys ?? []
  return keys
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
}

function dangersOf(config: Config): readonly string[] {
  const { hostname } = new URL(config.issuer)
  return [
    ...(config.secure || isLoopback({ hostname })
      ? []
      : ['the issuer is plain http: tokens cross the network readable']),
    ...(config.metadataDocuments.dangerouslyAllowPrivateAddresses
      ? ['client metadata documents may be fetched from private addresses']
      : []),
    ...(config.allowedOrigins.includes('*')
      ? ['pages of any origin may call the MCP endpoint (allowedOrigins is *)']
      : []),
  ]
}

function isLoopback({ hostname }: { readonly hostname: string }): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : ''
}
