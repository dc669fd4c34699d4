/**
 * Internet addresses, and which of them are out in public. The one door to ipaddr.js.
 *
 * Only the strict spelling of an address is one: four decimal numbers, or RFC 4291 §2.2. The others that
 * libraries take (octal, hexadecimal, shortened) are how address checks have been passed by.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address; one of IPv6 that stands for an IPv4 address is still one of IPv6. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** All addresses that share their first `length` bits with `base`. */
export interface IpRange {
  readonly base: IpAddress
  readonly length: number
}

// IANA has given out nothing outside of it (RFC 4291 §2.4), and each address outside is special.
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')

// A public address in every register, and in an Azure machine the host below it, which holds credentials.
const AZURE_HOST = '168.63.129.16'

/** The address that `text` spells; undefined when it is none. */
export function parseAddress(text: string): IpAddress | undefined {
  if (isIP(text) === 0) return undefined
  // ipaddr.js takes `::192.0.2.1` (RFC 4291 §2.5.5.1) for `::ffff:192.0.2.1`, and sockets do not.
  return ipaddr.parse(text.replace(/^::(?=\d+\.)/, '0::'))
}

/** The address or CIDR range that `text` spells; undefined when it is none. */
export function parseRange(text: string): IpRange | undefined {
  const [, address = '', length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const base = parseAddress(address)
  if (base === undefined) return undefined
  const bits = base.kind() === 'ipv4' ? 32 : 128
  const range = { base, length: length === undefined ? bits : Number(length) }
  return range.length > bits ? undefined : unmapRange(range)
}

/** RFC 4291 §2.5.5.2: `::ffff:192.0.2.1` is how a socket for both families spells `192.0.2.1`. */
export function unmap(address: IpAddress): IpAddress {
  return isMapped(address) ? address.toIPv4Address() : address
}

/** Whether `address`, once unmapped, lies in `range`. Its zone does not matter. */
export function isInRange(address: IpAddress, range: IpRange): boolean {
  const plain = unmap(address)
  return plain.kind() === range.base.kind() && plain.match(range.base, range.length)
}

/** The one spelling of an address: RFC 5952, without a zone. */
export function spell(address: IpAddress): string {
  return ipaddr.fromByteArray(address.toByteArray()).toString()
}

/** The range of `length` bits around `address`, spelled. */
export function spellRange(address: IpAddress, length: number): string {
  const bytes = address.toByteArray().map((byte, index) => byte & mask(length - 8 * index))
  return `${ipaddr.fromByteArray(bytes).toString()}/${length}`
}

/** Whether `text` is an address at which some machine of the Internet may be met, and none of this network. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text)
  if (address === undefined || text === AZURE_HOST) return false
  if (isIpv4(address)) return address.range() === 'unicast'
  return (
    address.zoneId === undefined &&
    address.match(GLOBAL_UNICAST, 3) &&
    address.range() === 'unicast' &&
    !isIsatap(address)
  )
}

/** Whether `text` is an address of this machine. */
export function isLoopbackAddress(text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && unmap(address).range() === 'loopback'
}

// RFC 5214 §6.1: the last four bytes are an IPv4 address, private or not, and a tunnel takes it there.
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe
}

function unmapRange(range: IpRange): IpRange {
  if (!isMapped(range.base) || range.length < 96) return range
  return { base: range.base.toIPv4Address(), length: range.length - 96 }
}

function isMapped(address: IpAddress): address is ipaddr.IPv6 {
  return !isIpv4(address) && address.isIPv4MappedAddress()
}

function isIpv4(address: IpAddress): address is ipaddr.IPv4 {
  return address.kind() === 'ipv4'
}

/** The byte whose first `bits` bits are set; those of less than none or more than all are none and all. */
function mask(bits: number): number {
  return (0xff00 >> Math.min(Math.max(bits, 0), 8)) & 0xff
}
