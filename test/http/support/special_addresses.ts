/**
 * Addresses that are not of the public Internet: the IANA special-purpose registries, addresses that carry
 * an IPv4 address inside, and what the clouds put their credentials behind. Each in several spellings.
 */

/** First and last address of each IPv4 range, and some known ones between. */
const IPV4 = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.0.0.1', '10.255.255.255'],
  ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
  ['127.0.0.0', '127.0.0.1', '127.0.0.53', '127.255.255.255'],
  ['169.254.0.0', '169.254.169.254', '169.254.170.2', '169.254.255.255'],
  ['172.16.0.0', '172.17.0.1', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.170', '192.0.0.192', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.31.196.1'],
  ['192.52.193.1'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.1.1', '192.168.255.255'],
  ['192.175.48.1'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '224.0.0.251', '239.255.255.250', '239.255.255.255'],
  ['240.0.0.0', '255.255.255.254', '255.255.255.255'],
  ['168.63.129.16'],
].flat()

const IPV6 = [
  ['::', '0:0:0:0:0:0:0:0', '0000:0000:0000:0000:0000:0000:0000:0000', '::0', '::0.0.0.0'],
  ['::1', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '::0.0.0.1', '::0:1'],
  ['100::', '100::1', '100:0:0:1::1'],
  ['64:ff9b:1::', '64:ff9b:1:ffff::a00:1'],
  ['2001::', '2001:0:ffff::', '2001::ce49:7601:e866:efff:62c3:fffe'],
  ['2001:1::1', '2001:2::', '2001:2:0:ffff::', '2001:3::1', '2001:4:112::1'],
  ['2001:10::1', '2001:1f::1', '2001:20::1', '2001:2f::1', '2001:30::1', '2001:1ff:ffff::'],
  ['2001:db8::', '2001:DB8::1', '2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2620:4f:8000::1', '3fff::1', '3fff:fff::1'],
  ['4000::1', '5f00::1', '5f00:ffff::1', '8000::1', 'a000::1', 'c000::1', 'e000::1', 'f000::1'],
  ['fc00::', 'fc00::1', 'fd00::1', 'fd00:ec2::254', 'FD20:CE::254', 'fdff:ffff::1'],
  ['fe00::1', 'fe80::', 'fe80::1', 'fe80::1%lo', 'fe80::a9fe:a9fe', 'febf:ffff::1'],
  ['fec0::', 'fec0::1', 'feff:ffff::1', 'fec0:0:0:ffff::1'],
  ['ff00::1', 'ff02::1', 'ff02::fb', 'ff05::2', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2606:4700::1%1', '2606:4700:0:0:0:5efe:10.0.0.1', '2606:4700::200:5efe:7f00:1'],
].flat()

/** The IPv6 addresses that some machine on the way takes for `address`, even a public one. */
export function carriers(address: string): readonly string[] {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  const [high, low] = [bytes.slice(0, 2).join(''), bytes.slice(2).join('')]
  return [
    `::ffff:${address}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${address}`,
    `::${address}`,
    `::ffff:0:${address}`,
    `64:ff9b::${address}`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${address}`,
    `2002:${high}:${low}::`,
    `2002:${high}:${low}:0:0:0:0:1`,
  ]
}

/** Spellings of 127.0.0.1 that are no address at all, but that some library reads as one. */
export const MISSPELLED: readonly string[] = [
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '127.1',
  '127.0.1',
  '127.0.0.01',
  '127.0.0.1.',
  ' 127.0.0.1',
  '127.0.0.1/8',
  '[::1]',
  '①②⑦.0.0.1',
  '127。0。0。1',
  '0',
  '',
  'localhost',
  '::1::',
  '::ffff:127.1',
  '1.1.1.1 ',
]

/** More than 200 spellings, none of a public address. */
export const SPECIAL: readonly string[] = [
  ...IPV4,
  ...IPV6,
  ...['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1', '8.8.8.8'].flatMap(carriers),
  ...IPV4.filter((_, index) => index % 2 === 0).flatMap((address) => carriers(address).slice(0, 6)),
]
