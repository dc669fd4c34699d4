import { describe, expect, it } from 'vitest'
import { readCookies, setCookie } from '../../src/http/cookie.ts'
import { header, headerValues } from '../../src/http/message.ts'
import { empty, errorResponse, json, redirect } from '../../src/http/respond.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import { requestWith } from './support/requests.ts'

function cookiesOf(secure: boolean, ...lines: readonly string[]) {
  return readCookies(requestWith(lines.flatMap((line) => ['Cookie', line])), secure)
}

describe('headers', () => {
  const request = requestWith([
    'Host',
    'a',
    'X-A',
    '1',
    'x-a',
    '2',
    'x-ab',
    '3',
    'Authorization',
    '',
  ])

  it('are found in any case, in the order of the wire', () => {
    expect(headerValues(request, 'x-a')).toEqual(['1', '2'])
    expect(headerValues(request, 'x')).toEqual([])
    expect(header(request, 'host')).toBe('a')
    expect(header(request, 'authorization')).toBe('')
    expect(header(request, 'accept')).toBeUndefined()
  })

  it('RFC 9110 §5.3 one that may stand once and stands twice is refused, equal or not', () => {
    for (const second of ['a', 'b', '']) {
      const doubled = requestWith(['Host', 'a', 'HOST', second])
      expect(() => header(doubled, 'host')).toThrow(OAuthError)
    }
  })

  it('a value is no name, and a list that is cut is read to its end', () => {
    expect(headerValues(requestWith(['x', 'host', 'host', 'a', 'host']), 'host')).toEqual(['a', ''])
  })
})

describe('cookies', () => {
  it('RFC 6265bis §5.7 over https only those with __Host- are ours, all of them', () => {
    const cookies = cookiesOf(true, 'txn-a=1; __Host-txn-a=2;__Host-b=x=y==', '__Host-txn-a=3; c')
    expect(cookies.all('txn-a')).toEqual(['2', '3'])
    expect(cookies.all('b')).toEqual(['x=y=='])
    expect(cookies.all('c')).toEqual([])
    expect(cookies.names('txn-')).toEqual(['txn-a'])
  })

  it('over http the plain names are ours', () => {
    expect(cookiesOf(false, 'a=1; a=2').all('a')).toEqual(['1', '2'])
  })

  it('no space but a plain one stands between a sibling domain and our prefix', () => {
    const spaces = [
      '\u00a0',
      '\u0085',
      '\u2000',
      '\u3000',
      '\ufeff',
      '\v',
      '\f',
      '\r',
      '\n',
      'â\u0080\u0080',
    ]
    for (const space of spaces) {
      for (const pair of [`${space}__Host-a=1`, `x=1;${space}__Host-a=1`, `__Host-${space}a=1`]) {
        expect(cookiesOf(true, pair).all('a'), JSON.stringify(pair)).toEqual([])
      }
    }
    expect(cookiesOf(true, ' \t__Host-a=1\t ;\t__Host-a=2 ').all('a')).toEqual(['1', '2'])
  })

  it('what looks like the prefix is not the prefix', () => {
    const near = [
      '__host-a=1',
      '__HOST-a=1',
      '__Secure-a=1',
      'x__Host-a=1',
      '=__Host-a=1',
      '__Host-',
    ]
    expect(cookiesOf(true, near.join('; ')).all('a')).toEqual([])
    expect(cookiesOf(true, '"__Host-a"=1; $__Host-a=1; __Host-a').all('a')).toEqual([''])
  })

  it('names of objects are names like others', () => {
    const cookies = cookiesOf(true, '__Host-__proto__=1; __Host-constructor=2')
    expect(cookies.names('')).toEqual(['__proto__', 'constructor'])
    expect(cookies.all('__proto__')).toEqual(['1'])
  })

  it('DS-02 long repetitive cookies take no time', () => {
    for (const part of [';', '=', ' ', '\t', 'a', ' ;', '__Host-', 'a=;', '\u00a0', ' a']) {
      const started = process.cpuUsage()
      const cookies = cookiesOf(true, part.repeat(30_000), `__Host-a=${part.repeat(30_000)}x`)
      cookies.names('a')
      expect(process.cpuUsage(started).user).toBeLessThan(200_000)
    }
  })

  it('RFC 6265bis §4.1.3.2 what is set satisfies the prefix, and is lax', () => {
    expect(setCookie('a', 'v', { secure: true, maxAge: 600 })).toBe(
      '__Host-a=v; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure',
    )
    expect(setCookie('a', '', { secure: false, maxAge: 0 })).toBe(
      'a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    )
  })
})

describe('responses', () => {
  it('RFC 6749 §5.1 are not stored, unless they say so', () => {
    for (const response of [json(200, {}), empty(204), redirect('https://a.example/')]) {
      expect(response.headers['cache-control']).toBe('no-store')
      expect(response.headers['x-content-type-options']).toBe('nosniff')
    }
    expect(json(200, {}, { 'cache-control': 'max-age=60' }).headers['cache-control']).toBe(
      'max-age=60',
    )
  })

  it('RFC 9700 §4.12 a redirect is a 303 and tells nobody whence', () => {
    const { status, headers, body } = redirect('https://a.example/?code=x')
    expect(status).toBe(303)
    expect(headers['location']).toBe('https://a.example/?code=x')
    expect(headers['referrer-policy']).toBe('no-referrer')
    expect(body).toBeUndefined()
  })

  it('RFC 6749 §5.2 an error tells code and description, and never the reason', () => {
    const error = new OAuthError('temporarily_unavailable', 'later', {
      retryAfter: 7,
      reason: 'db-7',
    })
    const { status, headers, body } = errorResponse(error)
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('7')
    expect(body).toBe('{"error":"temporarily_unavailable","error_description":"later"}')
  })

  it('members that are undefined are left out', () => {
    expect(json(200, { a: undefined, b: [] }).body).toBe('{"b":[]}')
  })
})
