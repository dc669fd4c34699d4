/** Where names are not looked up, as on Workers: the URL alone is judged. */
import { isIPv6 } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/http/address.ts'
import { judgeTarget } from '../../src/http/fetch_target.ts'
import { FetchError, type FetchPolicy } from '../../src/http/safe_fetch.ts'
import { MISSPELLED, SPECIAL } from './support/special_addresses.ts'

const STRANGERS: FetchPolicy = { trustedOrigins: [], dangerouslyAllowPrivateAddresses: false }

function judge(url: string, policy: FetchPolicy = STRANGERS): string {
  try {
    return judgeTarget(url, { policy, isPublic: isPublicAddress }).href
  } catch (error) {
    if (error instanceof FetchError) return error.failure
    throw error
  }
}

describe('CI-01 a URL that nobody looks up', () => {
  it('lets public hosts pass', () => {
    for (const url of [
      'https://docs.example/c.json',
      'https://1.1.1.1/',
      'https://a.b.co:8443/x?y',
    ])
      expect(judge(url)).toBe(url)
  })

  it('has no address of the inner network, however it is spelled', () => {
    for (const address of [...SPECIAL, ...MISSPELLED]) {
      const host = isIPv6(address) ? `[${address}]` : address
      expect(judge(`https://${host}/`), host).toBe('refused')
    }
  })

  it.each([
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'localhost.localdomain'],
    ...['metadata', 'metadata.google.internal', 'printer.local', 'router.home.arpa'],
    ...['user@docs.example', '%31%32%37.0.0.1', '①②⑦.⓪.⓪.①', 'docs.example.'],
  ])('has no name of the inner network, and no second spelling: %s', (host) => {
    expect(judge(`https://${host}/`)).toBe('refused')
  })

  it('has https, but for an address of this machine that the operator named', () => {
    const origins = ['http://127.0.0.1:8079', 'http://localhost:8079', 'http://[::1]:8079']
    const named = { ...STRANGERS, trustedOrigins: [...origins, 'http://10.0.0.1', 'http://a.co'] }
    for (const origin of origins) {
      expect(judge(`${origin}/`)).toBe('refused')
      expect(judge(`${origin}/`, named)).toBe(`${origin}/`)
    }
    for (const url of ['http://10.0.0.1/', 'http://a.co/', 'http://docs.example/', 'ftp://a.co/'])
      expect(judge(url, named), url).toBe('refused')
  })

  it('may be private where the operator named it, or lets everything be', () => {
    const named = { ...STRANGERS, trustedOrigins: ['https://10.0.0.1'] }
    expect(judge('https://10.0.0.1/x', named)).toBe('https://10.0.0.1/x')
    expect(judge('https://10.0.0.1:8443/x', named)).toBe('refused')
    const anywhere = { ...STRANGERS, dangerouslyAllowPrivateAddresses: true }
    expect(judge('http://printer.local/', anywhere)).toBe('http://printer.local/')
  })
})
