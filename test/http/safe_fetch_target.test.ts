import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createSafeFetch, type SafeFetch } from '../../src/http/safe_fetch.ts'
import { isPublicAddress } from '../../src/http/address.ts'
import {
  answer,
  failureOf,
  ok,
  PUBLIC,
  serve,
  servePlain,
  strangersFetch,
  watchConnections,
} from './support/hosts.ts'
import { SPECIAL } from './support/special_addresses.ts'

const LIMITS = { maxBytes: 5120, timeout: 5 }
const OTHER = '127.0.0.2'

/** With the real rule of what is public; every name is at `addresses`. */
function strictFetch(...addresses: string[]): SafeFetch {
  return strangersFetch({ isPublic: isPublicAddress, resolve: async () => addresses })
}

function noSuchName(): Error {
  return Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' })
}

const LOOPBACK_HOSTS = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '0x7f000001',
  '0x7f.0.0.1',
  '0X7F.1',
  '0',
  '0.0.0.0',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  'localhost.localdomain',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  'loc%61lhost',
  'docs.example@127.0.0.1',
  '127.0.0.1@docs.example',
  '127.0.0.1\t',
  '127.0.0.1\\@docs.example',
]

describe('safe_fetch and where it may go', () => {
  it.each(LOOPBACK_HOSTS)('CI-01 no connection to this machine, spelled %j', async (host) => {
    const port = await serve(answer(ok('{}')))
    const tried = watchConnections()
    const failure = await failureOf(strictFetch(PUBLIC)(`https://${host}:${port}/c.json`, LIMITS))
    expect(failure.failure).toBe('refused')
    expect(tried).toEqual([])
  })

  it('CI-01 a public address in an odd spelling is refused too', async () => {
    const odd = ['http://', 'ftp://', 'https:', 'https:/', 'https:\\\\', ' https://', 'ht\ntps://']
    const urls = odd.map((start) => `${start}1.1.1.1/`)
    const hosts = ['0x1010101', '16843009', '1.1.257', '１.1.1.1', 'x@1.1.1.1', 'x:y@1.1.1.1', ':1']
    urls.push(...hosts.map((host) => `https://${host}/`), 'https://', '', '//1.1.1.1/', 'data:,x')
    const tried = watchConnections()
    for (const url of urls) {
      expect((await failureOf(strictFetch('1.1.1.1')(url, LIMITS))).failure, url).toBe('refused')
    }
    expect(tried).toEqual([])
  })

  it('a host in upper case and the default port are spelled well enough', async () => {
    const looked: string[] = []
    const fetch = strangersFetch({
      resolve: async (host) => {
        looked.push(host)
        throw noSuchName()
      },
    })
    for (const url of [
      'HTTPS://Docs.Example:443/',
      'https://docs.example?x',
      'https://[1::1]:443#',
    ]) {
      await failureOf(fetch(url, LIMITS))
    }
    expect(looked).toEqual(['docs.example', 'docs.example'])
  })

  it('plain http and a name that ends with a dot are refused before they are looked up', async () => {
    const fetch = strangersFetch({ resolve: () => expect.fail('looked up') })
    const urls = ['http://docs.example/', 'http://docs.example:443/', 'HTTP://127.0.0.1/']
    for (const url of [...urls, 'https://docs.example./', 'https://docs.example.:443/']) {
      expect((await failureOf(fetch(url, LIMITS))).failure, url).toBe('refused')
    }
  })

  it('CI-05 open port, closed port and a name that does not exist sound alike', async () => {
    const open = await serve(answer(ok('{}')))
    const here = strictFetch(PUBLIC)
    const nowhere = strangersFetch({ resolve: () => Promise.reject(noSuchName()) })
    const failures = [
      await failureOf(here(`https://docs.example:${open}/`, LIMITS)),
      await failureOf(here(`https://docs.example:1/`, LIMITS)),
      await failureOf(nowhere(`https://docs.example:${open}/`, LIMITS)),
      await failureOf(strictFetch()(`https://docs.example:${open}/`, LIMITS)),
    ]
    const heard = failures.map(({ failure, message }) => [failure, message.replace(/:\d+/, '')])
    expect(new Set(heard.map(String)).size).toBe(1)
    expect(failures[0]?.failure).toBe('refused')
  })

  it('CI-07 a name at loopback is refused, five times', async () => {
    const port = await serve(answer(ok('{}')))
    const tried = watchConnections()
    for (const address of ['127.0.0.1', '::1', '127.0.0.1', '0.0.0.0', '::ffff:127.0.0.1']) {
      const fetched = strictFetch(address)(`https://docs.example:${port}/`, LIMITS)
      expect((await failureOf(fetched)).failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })

  it('CI-32 one look-up, and the connection goes to what it gave', async () => {
    const port = await serve(answer(ok('{}')))
    const answers = [PUBLIC, OTHER, OTHER, PUBLIC]
    let lookUps = 0
    const fetch = strangersFetch({
      resolve: async () => {
        lookUps += 1
        return answers.splice(0, 1)
      },
    })
    const tried = watchConnections()
    const url = `https://docs.example:${port}/`
    expect((await fetch(url, LIMITS)).status).toBe(200)
    expect((await failureOf(fetch(url, LIMITS))).failure).toBe('refused')
    expect((await failureOf(fetch(url, LIMITS))).failure).toBe('refused')
    expect((await fetch(url, LIMITS)).status).toBe(200)
    expect(lookUps).toBe(4)
    expect(tried).toEqual([PUBLIC, PUBLIC])
  })

  it('CI-33 one private address among public ones refuses them all, a hundred times', async () => {
    const port = await serve(answer(ok('{}')))
    const tried = watchConnections()
    const mixed = [
      [PUBLIC, '::1'],
      ['::1', PUBLIC],
      [OTHER, PUBLIC],
      [PUBLIC, PUBLIC, OTHER],
    ]
    for (let turn = 0; turn < 100; turn += 1) {
      const fetch = strangersFetch({ resolve: async () => mixed[turn % 4] ?? [] })
      const failure = await failureOf(fetch(`https://docs.example:${port}/`, LIMITS))
      expect(failure.failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })

  it('CI-34 no special address in a DNS answer or in the URL is connected to', async () => {
    const tried = watchConnections()
    for (const address of SPECIAL) {
      const named = strictFetch(address)('https://docs.example/', LIMITS)
      expect((await failureOf(named)).failure, address).toBe('refused')
      const host = address.includes(':') ? `[${address}]` : address
      const literal = strictFetch('1.1.1.1')(`https://${host}/`, LIMITS)
      expect((await failureOf(literal)).failure, address).toBe('refused')
    }
    expect(tried).toEqual([])
  })

  it('an answer that is no address is refused', async () => {
    for (const address of ['2130706433', 'localhost', '', '127.1', '1.1.1.1\n']) {
      const fetched = strictFetch(address)('https://docs.example/', LIMITS)
      expect((await failureOf(fetched)).failure).toBe('refused')
    }
  })

  it('a name with many addresses has this server knock at four doors at most', async () => {
    const four = Array.from({ length: 50 }, (_, index) => `127.0.0.${index + 1}`)
    const six = Array.from({ length: 50 }, (_, index) => `::${index + 2}`)
    const resolve = async (): Promise<string[]> => [...four, ...six]
    const fetch = strangersFetch({ resolve, isPublic: () => true })
    const tried = watchConnections()
    expect((await failureOf(fetch('https://docs.example:1/', LIMITS))).failure).toBe('unreachable')
    expect(tried.length).toBeGreaterThan(0)
    expect(tried.length).toBeLessThanOrEqual(4)
  })

  it('an address that does not answer is followed by the next', async () => {
    const port = await serve(answer(ok('{}')))
    const fetch = strangersFetch({ resolve: async () => ['::1', PUBLIC], isPublic: () => true })
    expect((await fetch(`https://docs.example:${port}/`, LIMITS)).status).toBe(200)
  })

  it('a look-up that fails is unreachable, one that never ends is a timeout and connects no more', async () => {
    const broken = strangersFetch({ resolve: () => Promise.reject(new Error('SERVFAIL')) })
    const failure = await failureOf(broken('https://docs.example/', LIMITS))
    expect(failure.failure).toBe('unreachable')

    const tried = watchConnections()
    let arrive: (addresses: string[]) => void = () => {}
    const late = new Promise<string[]>((resolve) => (arrive = resolve))
    const slow = strangersFetch({ resolve: () => late })
    const short = { ...LIMITS, timeout: 0.05 }
    expect((await failureOf(slow('https://docs.example:1/', short))).failure).toBe('timeout')
    arrive([PUBLIC])
    await setImmediate()
    expect(tried).toEqual([])
  })
})

describe('safe_fetch and what the operator allows', () => {
  const trust = (...trustedOrigins: string[]) => ({
    trustedOrigins,
    dangerouslyAllowPrivateAddresses: false,
  })

  it('a trusted origin may be private, others at the same address may not', async () => {
    const fetch = createSafeFetch(trust('https://idp.example:1'), { resolve: async () => [PUBLIC] })
    const failures = ['https://idp.example:1/', 'https://idp.example:2/', 'https://a.example:1/']
    const heard = []
    for (const url of failures) heard.push((await failureOf(fetch(url, LIMITS))).failure)
    expect(heard).toEqual(['unreachable', 'refused', 'refused'])
  })

  it('a trusted http origin is refused when it is not on this machine', async () => {
    const tried = watchConnections()
    for (const addresses of [['10.0.0.1'], ['1.1.1.1'], ['127.0.0.1', '1.1.1.1'], ['0.0.0.0']]) {
      const policy = trust('http://idp.example')
      const fetch = createSafeFetch(policy, { resolve: async () => addresses })
      expect((await failureOf(fetch('http://idp.example/', LIMITS))).failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })

  it('who wrote a name decides how it is looked up', async () => {
    const asked: string[] = []
    const resolve = async (host: string, source: string): Promise<string[]> => {
      asked.push(`${host} ${source}`)
      return []
    }
    const fetch = createSafeFetch(trust('https://idp.example'), { resolve })
    await failureOf(fetch('https://idp.example/', LIMITS))
    await failureOf(fetch('https://docs.example/', LIMITS))
    expect(asked).toEqual(['idp.example operator', 'docs.example stranger'])
  })

  it('with dangerouslyAllowPrivateAddresses any host may be private and plain http', async () => {
    const port = await servePlain(answer(ok('{}')))
    const policy = { trustedOrigins: [], dangerouslyAllowPrivateAddresses: true }
    const fetch = createSafeFetch(policy)
    expect((await fetch(`http://localhost:${port}/`, LIMITS)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${port}/`, LIMITS)).status).toBe(200)
    expect((await failureOf(fetch(`http://127.1:${port}/`, LIMITS))).failure).toBe('refused')
    expect((await failureOf(fetch(`ftp://127.0.0.1:${port}/`, LIMITS))).failure).toBe('refused')
  })

  it("a stranger's name is not looked for in this machine's hosts file", async () => {
    const policy = { trustedOrigins: [], dangerouslyAllowPrivateAddresses: false }
    const tried = watchConnections()
    const failure = await failureOf(createSafeFetch(policy)('https://localhost/', LIMITS))
    expect(['refused', 'unreachable', 'timeout']).toContain(failure.failure)
    expect(tried).toEqual([])
  })

  it('a header that cannot be sent is refused', async () => {
    const tried = watchConnections()
    for (const headers of [{ authorization: 'a\r\nx: y' }, { 'a b': 'c' }, { 'x\n': 'y' }]) {
      const fetched = strangersFetch()('https://docs.example:1/', { ...LIMITS, headers })
      expect((await failureOf(fetched)).failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })
})
