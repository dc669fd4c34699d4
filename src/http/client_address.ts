/**
 * Where a request comes from: the socket's peer, or what trusted proxies say of the peer they had.
 *
 * `X-Forwarded-For` is a list that grows to the right, one address a proxy. Whatever stands left of the
 * last address that no trusted proxy vouches for was written by a stranger, and is not read.
 */
import { parseAddress, parseRange, spell, spellRange, unmap, isInRange } from './address.ts'
import type { IpAddress, IpRange } from './address.ts'
import { remembered } from '../protocol/remembered.ts'
import { headerValues, type HttpRequest } from './message.ts'

/** More hops than this are no chain of proxies. */
const MAX_HOPS = 32

const ranges = new WeakMap<readonly string[], readonly IpRange[]>()

/**
 * The right-most address of the chain that is no trusted proxy's, in its one spelling; undefined where
 * the runtime tells no peer. `trustedProxies` are addresses or CIDR ranges; what is neither trusts nobody.
 */
export function clientAddress(
  request: HttpRequest,
  trustedProxies: readonly string[],
): string | undefined {
  const peer = readAddress(request.remoteAddress ?? '')
  if (peer === undefined) return undefined
  const trusted = rangesOf(trustedProxies)
  let nearest = peer
  for (const hop of hops(request, trusted)) {
    if (!isTrusted(nearest, trusted)) break
    const address = readHop(hop)
    // What a proxy could not tell, nobody left of it can: the proxy itself is the nearest that is known.
    if (address === undefined) break
    nearest = address
  }
  return spell(nearest)
}

/** The key to count requests under: an IPv6 address counts as its /64, which one machine has whole. */
export function rateKey(address: string | undefined): string {
  return group(address, 32, 64) ?? 'unknown'
}

/** The network of an address, for events: enough to tell places apart, and not to tell people apart. */
export function networkOf(address: string | undefined): string | undefined {
  return group(address, 24, 48)
}

/** The hops from the nearest on. Several headers are one list: RFC 9110 §5.3. */
function hops(request: HttpRequest, trusted: readonly IpRange[]): readonly string[] {
  if (trusted.length === 0) return []
  const values = headerValues(request, 'x-forwarded-for')
  return values.join(',').split(',').slice(-MAX_HOPS).reverse()
}

function isTrusted(address: IpAddress, trusted: readonly IpRange[]): boolean {
  return trusted.some((range) => isInRange(address, range))
}

/** An address as proxies write it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function readHop(hop: string): IpAddress | undefined {
  const text = hop.trim()
  const [, bracketed, dotted] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/i.exec(text) ?? []
  return readAddress(bracketed ?? dotted ?? text)
}

/** Few peers send most requests, and one that is behind a proxy always sends the same. */
const readAddress: (text: string) => IpAddress | undefined = remembered((text) => {
  const address = parseAddress(text)
  return address === undefined ? undefined : unmap(address)
})

function rangesOf(trustedProxies: readonly string[]): readonly IpRange[] {
  const known = ranges.get(trustedProxies)
  if (known !== undefined) return known
  const parsed = trustedProxies.map(parseRange).filter((range) => range !== undefined)
  ranges.set(trustedProxies, parsed)
  return parsed
}

/** `address` cut to the first bits of its family; whole when those are all. */
function group(address: string | undefined, bits4: number, bits6: number): string | undefined {
  const parsed = readAddress(address ?? '')
  if (parsed === undefined) return undefined
  if (parsed.kind() === 'ipv6') return spellRange(parsed, bits6)
  return bits4 === 32 ? spell(parsed) : spellRange(parsed, bits4)
}
