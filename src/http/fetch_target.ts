/**
 * Where a request may go: the checks of its URL and of every address behind it.
 *
 * A URL is refused when its host can be read in two ways, and a host when one of its addresses is not
 * public. What passes names the very addresses that are then connected to, so that nothing is looked up
 * twice and no second answer can differ from the first. On Workers the platform looks up and connects,
 * and only the URL can be judged.
 */
import { isIP } from 'node:net'
import { FetchError, type FetchPolicy } from './fetch_interface.ts'
import { isLoopbackAddress, isPublicAddress } from './address.ts'
import { isNoSuchName, type ResolveHost } from './resolve_host.ts'

/** A vetted place. */
export interface FetchTarget {
  readonly url: URL
  /** The addresses to connect to and no others, the first first. */
  readonly addresses: readonly string[]
}

/** How the outside is met. Tests put their own in its place. */
export interface TargetRules {
  readonly policy: FetchPolicy
  readonly resolve: ResolveHost
  readonly isPublic: typeof isPublicAddress
}

const NOT_PUBLIC = 'has no address, or one that is not public'
// Enough to get through, and too few to have this server knock at many doors.
const MAX_ADDRESSES_PER_FAMILY = 2

/** @throws FetchError `refused`, or `unreachable` when the name cannot be looked up. */
export async function resolveTarget(
  text: string,
  rules: TargetRules,
  signal: AbortSignal,
): Promise<FetchTarget> {
  const url = checkUrl(text)
  const { trustedOrigins, dangerouslyAllowPrivateAddresses: anywhere } = rules.policy
  const trusted = anywhere || trustedOrigins.includes(url.origin)
  if (url.protocol === 'http:' && !trusted) refuse(url, 'is not https')

  const answers = await lookUp(url, rules, trusted, signal)
  // One private address among public ones is how a look-up is turned against whoever tries the next.
  if (!trusted && !answers.every((address) => rules.isPublic(address))) {
    refuse(url, NOT_PUBLIC)
  }
  if (url.protocol === 'http:' && !anywhere && !answers.every(isLoopbackAddress)) {
    refuse(url, 'is not https, and not on this machine')
  }
  return { url, addresses: few(answers) }
}

/**
 * The same of the URL alone, where it is the platform that looks names up and keeps from private addresses.
 * @throws FetchError `refused`
 */
export function judgeTarget(text: string, { policy, isPublic }: Omit<TargetRules, 'resolve'>): URL {
  const url = checkUrl(text)
  const { trustedOrigins, dangerouslyAllowPrivateAddresses: anywhere } = policy
  const trusted = anywhere || trustedOrigins.includes(url.origin)
  const { hostname } = url
  const literal = literalOf(hostname)
  const isLoopback = literal === undefined ? isLoopbackName(hostname) : isLoopbackAddress(literal)
  if (url.protocol === 'http:' && !trusted) refuse(url, 'is not https')
  const isOut = literal === undefined ? isPublicName(hostname) : isPublic(literal)
  if (!trusted && !isOut) refuse(url, NOT_PUBLIC)
  if (url.protocol === 'http:' && !anywhere && !isLoopback) {
    refuse(url, 'is not https, and not on this machine')
  }
  return url
}

/** RFC 6761 §6.3, RFC 6762 §3, RFC 8375 §4, and what ICANN has set aside: names that the public DNS does not have. */
function isPublicName(name: string): boolean {
  return name.includes('.') && !/\.(?:localhost|localdomain|local|internal|home\.arpa)$/.test(name)
}

function isLoopbackName(name: string): boolean {
  return /^(?:.+\.)?localhost$/.test(name)
}

/**
 * The URL, whose host must stand in the text as it was parsed, but for case and the default port.
 * @throws FetchError `refused`
 */
export function checkUrl(text: string): URL {
  if (!URL.canParse(text)) throw new FetchError('refused', 'what is to be fetched is no URL')
  const url = new URL(text)
  const [, scheme, authority] = /^(https?):\/\/([^/?#\\]+)/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined) refuse(url, 'is not https')
  const written = authority
    .toLowerCase()
    .replace(scheme.toLowerCase() === 'https' ? /:443$/ : /:80$/, '')
  // 0x7f.1, 2130706433, full-width digits, %31, user@host, tabs: two parsers would go to two places.
  if (written !== url.host) refuse(url, 'is spelled in an unusual way')
  if (url.hostname.endsWith('.')) refuse(url, 'ends with a dot')
  return url
}

async function lookUp(
  url: URL,
  { resolve }: TargetRules,
  trusted: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { hostname } = url
  const literal = literalOf(hostname)
  if (literal !== undefined) return [literal]
  const answers = await resolve(hostname, trusted ? 'operator' : 'stranger', signal).catch(
    (cause: unknown) => {
      // For a stranger a name without an address is like one with a private address, or the answers
      // would tell which names the inner network has.
      if (!trusted && isNoSuchName(cause)) return []
      throw new FetchError('unreachable', `${hostname} cannot be looked up`, { cause })
    },
  )
  if (answers.length === 0) refuse(url, NOT_PUBLIC)
  return answers
}

/** The address that stands in a URL in place of a name. */
export function literalOf(hostname: string): string | undefined {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(literal) === 0 ? undefined : literal
}

function few(addresses: readonly string[]): readonly string[] {
  const seen = new Map<number, number>()
  return addresses.filter((address) => {
    const family = isIP(address)
    const count = seen.get(family) ?? 0
    seen.set(family, count + 1)
    return family !== 0 && count < MAX_ADDRESSES_PER_FAMILY
  })
}

function refuse(url: URL, fault: string): never {
  throw new FetchError('refused', `${url.host} ${fault}`)
}
