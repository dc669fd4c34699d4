import fc from 'fast-check'
import { isIP } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  isInRange,
  isLoopbackAddress,
  isPublicAddress,
  parseAddress,
  parseRange,
  spell,
} from '../../src/http/address.ts'
import { carriers, MISSPELLED, SPECIAL } from './support/special_addresses.ts'

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2001:db9::1',
  '2003::1',
  '2606:4700:4700::1111',
  '2a00:1450:4001:82a::200e',
  '3ffe:ffff::1',
]

function contains(range: string, address: string): boolean {
  const [parsedRange, parsed] = [parseRange(range), parseAddress(address)]
  if (parsedRange === undefined || parsed === undefined) throw new Error('not parsed')
  return isInRange(parsed, parsedRange)
}

describe('addresses', () => {
  it('CI-34 no special address is public, in more than 200 spellings', () => {
    expect(new Set(SPECIAL).size).toBeGreaterThan(200)
    for (const address of SPECIAL) expect(isIP(address), address).not.toBe(0)
    expect(SPECIAL.filter(isPublicAddress)).toEqual([])
  })

  it('CI-34 what is spelled otherwise than an address is none', () => {
    expect(MISSPELLED.filter(isPublicAddress)).toEqual([])
    expect(MISSPELLED.filter((text) => parseAddress(text) !== undefined)).toEqual([])
  })

  it('CI-34 whatever IPv4 address an IPv6 address carries, it is not public', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(carriers(address).filter(isPublicAddress)).toEqual([])
      }),
    )
  })

  it('CI-34 outside of 2000::/3 no IPv6 address is public', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const first = spell(parseAddress(address) ?? expect.fail()).split(':')[0] ?? ''
        if (!/^[23]...$/.test(first)) expect(isPublicAddress(address)).toBe(false)
      }),
    )
  })

  it('the neighbours of the special ranges and known hosts are public', () => {
    expect(PUBLIC.filter((address) => !isPublicAddress(address))).toEqual([])
  })

  it('loopback is loopback, mapped or not, and nothing else is', () => {
    const loopback = ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1']
    expect(loopback.filter((address) => !isLoopbackAddress(address))).toEqual([])
    const others = ['0.0.0.0', '::', '128.0.0.1', '10.0.0.1', '::127.0.0.1', 'localhost', '']
    expect(others.filter(isLoopbackAddress)).toEqual([])
  })

  it('a range holds what shares its first bits, IPv4 in both spellings', () => {
    expect(contains('10.0.0.0/8', '10.255.0.1')).toBe(true)
    expect(contains('10.0.0.0/8', '::ffff:10.255.0.1')).toBe(true)
    expect(contains('::ffff:10.0.0.0/104', '10.255.0.1')).toBe(true)
    expect(contains('10.0.0.0/8', '11.0.0.1')).toBe(false)
    expect(contains('10.0.0.7', '10.0.0.7')).toBe(true)
    expect(contains('10.0.0.7', '10.0.0.8')).toBe(false)
    expect(contains('0.0.0.0/0', '::1')).toBe(false)
    expect(contains('::/0', '10.0.0.1')).toBe(false)
    expect(contains('fd00::/8', 'fd12::1')).toBe(true)
    expect(contains('fd00::/8', 'fe12::1')).toBe(false)
  })

  it('what is no range is refused', () => {
    const wrong = ['', '/', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', '10/8', '::/129', 'a/8']
    const more = ['10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/ 8', '*', 'loopback', '010.0.0.0/8']
    expect([...wrong, ...more].filter((text) => parseRange(text) !== undefined)).toEqual([])
  })
})
