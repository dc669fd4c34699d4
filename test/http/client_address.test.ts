import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientAddress, networkOf, rateKey } from '../../src/http/client_address.ts'
import { createRateLimiter } from '../../src/http/rate_limit.ts'
import { forwarded, requestWith } from './support/requests.ts'

const PROXIES = ['10.0.0.0/8', 'fd00::/8', '203.0.113.7']

describe('the address of a client', () => {
  it('HH-02 the peer, when no proxy is trusted, whatever the headers say', () => {
    const headers = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'CF-Connecting-IP', 'Client-IP']
    const raw = headers.flatMap((name) => [name, '192.0.2.1', name.toLowerCase(), 'for=192.0.2.1'])
    const request = requestWith(raw, { remoteAddress: '198.51.100.9' })
    expect(clientAddress(request, [])).toBe('198.51.100.9')
    expect(clientAddress(request, PROXIES)).toBe('198.51.100.9')
  })

  it('HH-02 no other header than X-Forwarded-For is read from a trusted proxy', () => {
    const raw = ['Forwarded', 'for=192.0.2.1', 'X-Real-IP', '192.0.2.1']
    const request = requestWith(raw, { remoteAddress: '10.0.0.1' })
    expect(clientAddress(request, PROXIES)).toBe('10.0.0.1')
  })

  it('HH-02 the right-most untrusted address of chains of one to twenty', () => {
    for (let length = 1; length <= 20; length += 1) {
      const spoofed = Array.from({ length }, (_, index) => `192.0.2.${index}`)
      for (let trusted = 0; trusted <= 5; trusted += 1) {
        const inner = Array.from({ length: trusted }, (_, index) => `10.9.9.${index}`)
        const chain = [...spoofed, '198.51.100.9', ...inner].join(', ')
        expect(clientAddress(forwarded('10.0.0.1', chain), PROXIES)).toBe('198.51.100.9')
        expect(clientAddress(forwarded('192.0.2.99', chain), PROXIES)).toBe('192.0.2.99')
      }
    }
  })

  it('HH-02 garbage is ignored, and what stands left of it', () => {
    const garbage = ['', 'unknown', '_hidden', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.4:', 'x:1']
    garbage.push('1.2.3.4:123456', '[::1', '::1]', '[1.2.3.4]:x', '2130706433', '"1.2.3.4"', '-')
    garbage.push('10.0.0.0/8', '[::1]x', 'for=1.2.3.4', '１.2.3.4', '1.2.3.4 1.2.3.4', '%31.2.3.4')
    for (const noise of garbage) {
      const before = forwarded('10.0.0.1', `${noise}, 198.51.100.9`)
      expect(clientAddress(before, PROXIES), noise).toBe('198.51.100.9')
      const behind = forwarded('10.0.0.1', `198.51.100.9, ${noise}`)
      expect(clientAddress(behind, PROXIES), noise).toBe('10.0.0.1')
      const between = forwarded('10.0.0.1', `198.51.100.9, ${noise}, 10.0.0.2`)
      expect(clientAddress(between, PROXIES), noise).toBe('10.0.0.2')
    }
  })

  it('HH-02 IPv6, mapped addresses, ports and brackets have one spelling', () => {
    const spellings = [
      ['198.51.100.9:8443', '198.51.100.9'],
      ['[198.51.100.9]:1', '198.51.100.9'],
      ['::ffff:198.51.100.9', '198.51.100.9'],
      ['::FFFF:c633:6409', '198.51.100.9'],
      ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['[2001:0db8::0001]:443', '2001:db8::1'],
      ['\t 2001:db8::1 ', '2001:db8::1'],
      ['fe80::1%eth0', 'fe80::1'],
      ['::198.51.100.9', '::c633:6409'],
    ]
    for (const [chain = '', address] of spellings) {
      expect(clientAddress(forwarded('10.0.0.1', chain), PROXIES), chain).toBe(address)
      expect(clientAddress(forwarded('::ffff:10.0.0.1', chain), PROXIES), chain).toBe(address)
      expect(clientAddress(forwarded('fd00::5%eth0', chain), PROXIES), chain).toBe(address)
    }
  })

  it('HH-02 several headers are one list, in the order of the wire', () => {
    const request = forwarded('10.0.0.1', '192.0.2.1', '198.51.100.9, 10.1.1.1', '10.2.2.2')
    expect(clientAddress(request, PROXIES)).toBe('198.51.100.9')
  })

  it('when all are trusted, the one farthest away', () => {
    const request = forwarded('10.0.0.1', '10.7.7.7, 203.0.113.7, fd12::1')
    expect(clientAddress(request, PROXIES)).toBe('10.7.7.7')
  })

  it('HH-02 a chain is followed so far and no farther', () => {
    const request = forwarded('10.0.0.1', `198.51.100.9${', 10.0.0.2'.repeat(5000)}`)
    expect(clientAddress(request, PROXIES)).toBe('10.0.0.2')
  })

  it('trusts nobody for what is neither address nor range', () => {
    for (const wrong of ['*', '10.0.0.0/99', 'localhost', '', '10.0.0', 'true']) {
      expect(clientAddress(forwarded('10.0.0.1', '192.0.2.1'), [wrong])).toBe('10.0.0.1')
    }
  })

  it('is unknown without a peer', () => {
    const chain = ['X-Forwarded-For', '192.0.2.1']
    expect(clientAddress(requestWith(chain), PROXIES)).toBeUndefined()
    expect(clientAddress(requestWith(chain, { remoteAddress: '' }), ['0.0.0.0/0'])).toBeUndefined()
  })

  it('HH-02 whatever a stranger writes left of it, the address is the one the proxy saw', () => {
    const noise = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constant('10.0.0.3'))
    fc.assert(
      fc.property(fc.array(noise), fc.boolean(), (spoofed, separate) => {
        const chains = separate
          ? [...spoofed, '198.51.100.9']
          : [[...spoofed, '198.51.100.9'].join(',')]
        expect(clientAddress(forwarded('10.0.0.1', ...chains), PROXIES)).toBe('198.51.100.9')
      }),
    )
  })
})

describe('the key of a rate', () => {
  it('RG-30 an IPv6 /64 is one, whatever the spelling, and IPv4 is one address', () => {
    const same = [
      '2001:db8:1:2::1',
      '2001:DB8:1:2:ffff:ffff:ffff:ffff',
      '2001:db8:1:2:0:0:0:9%eth0',
    ]
    expect(new Set(same.map(rateKey))).toEqual(new Set(['2001:db8:1:2::/64']))
    expect(rateKey('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64')
    expect(['198.51.100.9', '::ffff:198.51.100.9', '::ffff:c633:6409'].map(rateKey)).toEqual(
      Array.from({ length: 3 }, () => '198.51.100.9'),
    )
    expect(rateKey('198.51.100.8')).not.toBe(rateKey('198.51.100.9'))
    expect([undefined, '', 'x', '1.2.3.4:5'].map(rateKey)).toEqual(
      Array.from({ length: 4 }, () => 'unknown'),
    )
  })

  it('RG-30 a thousand forwarded addresses and one /64 count as one client', () => {
    const limiter = createRateLimiter()
    let passed = 0
    for (let turn = 0; turn < 1000; turn += 1) {
      const peer = `2001:db8:1:2::${turn.toString(16)}`
      const request = forwarded(peer, `192.0.2.${turn % 256}`, `2001:db8:${turn.toString(16)}::1`)
      const key = rateKey(clientAddress(request, turn % 2 === 0 ? [] : PROXIES))
      if (limiter.take(`register ${key}`, 60, 1000).pass) passed += 1
    }
    expect(passed).toBe(60)
  })

  it('the network of an address tells the place and not the person', () => {
    expect(networkOf('198.51.100.9')).toBe('198.51.100.0/24')
    expect(networkOf('::ffff:198.51.100.9')).toBe('198.51.100.0/24')
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::/48')
    expect([undefined, '', 'localhost'].map(networkOf)).toEqual([undefined, undefined, undefined])
  })
})
