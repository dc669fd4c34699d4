import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { EXPIRED, GOOD, OTHER_NAME, SELF_SIGNED } from './support/certificates.ts'
import type { Certificate } from './support/certificates.ts'
import {
  answer,
  failureOf,
  listen,
  ok,
  serve,
  servePlain,
  strangersFetch,
} from './support/hosts.ts'

const LIMITS = { maxBytes: 5120, timeout: 5 }

afterEach(() => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
})

const WRONG: readonly (readonly [string, Certificate, string])[] = [
  ['for another name', OTHER_NAME, 'docs.example'],
  ['for the names below it only', GOOD, 'a.b.docs.example'],
  ['for its name and not for its address', GOOD, '127.0.0.1'],
  ['signed by itself', SELF_SIGNED, 'docs.example'],
  ['expired', EXPIRED, 'docs.example'],
]

describe('safe_fetch and TLS', () => {
  it.each(WRONG)('CI-35 a certificate %s is refused', async (_fault, certificate, host) => {
    const read: Buffer[] = []
    const port = await serve((socket) => socket.on('data', (data) => read.push(data)), certificate)
    const url = `https://${host}:${port}/c.json`
    expect((await failureOf(strangersFetch()(url, LIMITS))).failure).toBe('unreachable')
    expect(read).toEqual([])
  })

  it('CI-35 no environment variable switches the check off', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const port = await serve(answer(ok('{}')), SELF_SIGNED)
    const fetched = strangersFetch()(`https://docs.example:${port}/`, LIMITS)
    expect((await failureOf(fetched)).failure).toBe('unreachable')
  })

  it('CI-35 SNI and Host carry the name, and no caller changes them', async () => {
    const names: string[] = []
    const heads: string[] = []
    const port = await listen(
      createServer({
        ...GOOD,
        SNICallback(name, done) {
          names.push(name)
          done(null)
        },
      }).on('secureConnection', (socket: Socket) =>
        socket.once('data', (head) => {
          heads.push(head.toString())
          socket.write(ok('{}'))
        }),
      ),
    )
    const headers = { Host: 'other.example' }
    const url = `https://a.docs.example:${port}/`
    expect((await strangersFetch()(url, { ...LIMITS, headers })).status).toBe(200)
    expect(names).toEqual(['a.docs.example'])
    expect(heads.join('')).toContain(`\r\nhost: a.docs.example:${port}\r\n`)
  })

  it('CI-35 without the tests’ authority its certificates are worth nothing', async () => {
    const port = await serve(answer(ok('{}')))
    const system = strangersFetch({ ca: '' })
    const failure = await failureOf(system(`https://docs.example:${port}/`, LIMITS))
    expect(failure.failure).toBe('unreachable')
  })

  it('a server that speaks no TLS, or TLS 1.1, is unreachable', async () => {
    const plain = await servePlain(answer(ok('{}')))
    const garbage = await servePlain((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
    const old = await listen(
      createServer({ ...GOOD, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, answer(ok('{}'))),
    )
    for (const port of [plain, garbage, old]) {
      const fetched = strangersFetch()(`https://docs.example:${port}/`, LIMITS)
      expect((await failureOf(fetched)).failure).toBe('unreachable')
    }
  })
})
