import { describe, expect, it } from 'vitest'
import { fromFetch, toResponse } from '../../src/adapters/fetch.ts'
import { readCookies } from '../../src/http/cookie.ts'
import { header, headerValues } from '../../src/http/message.ts'

const request = (headers: [string, string][]) =>
  fromFetch(new Request('https://mcp.test/', { headers }))

const post = (body: string | ReadableStream, headers: Readonly<{ [name: string]: string }> = {}) =>
  fromFetch(
    new Request('https://mcp.test/', {
      method: 'POST',
      body,
      headers,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    }),
  )

describe('a request', () => {
  it.each([
    ['https://mcp.test', '/', ''],
    ['https://mcp.test/a?b=c?d#e', '/a', 'b=c?d'],
    ['https://mcp.test/a#b?c', '/a', ''],
    ['https://mcp.test?a', '/', 'a'],
    ['https://mcp.test//a/%2e%2e/b%2fc', '//b%2fc', ''],
    ['https://mcp.test:8443/a//b', '/a//b', ''],
  ])('%s', (url, path, query) => {
    expect(fromFetch(new Request(url))).toMatchObject({
      method: 'GET',
      path,
      query,
      remoteAddress: undefined,
    })
  })

  it.each(['authorization', 'host', 'dpop', 'origin'])(
    'GD-32 a doubled %s is seen to be doubled',
    (name) => {
      const doubled = request([
        [name, 'one'],
        [name, 'two'],
      ])
      expect(() => header(doubled, name)).toThrow('stands twice')
    },
  )

  it('one alone is itself, blanks around it gone', () => {
    expect(header(request([['authorization', ' Bearer a.b-c~d+/== ']]), 'authorization')).toBe(
      'Bearer a.b-c~d+/==',
    )
  })

  it('a comma in another site’s cookie begins no cookie of ours', () => {
    const tossed = request([['cookie', 'x=1, __Host-step=evil; y=2']])
    expect(readCookies(tossed, true).all('step')).toEqual([])
  })

  it('two Cookie headers never make one of ours out of theirs', () => {
    const two = request([
      ['cookie', '__Host-step=good'],
      ['cookie', '__Host-step=evil'],
    ])
    expect(readCookies(two, true).all('step')).not.toEqual(['evil'])
  })

  it('lists stay lists', () => {
    const lists = request([
      ['accept', 'a'],
      ['accept', 'b'],
    ])
    expect(headerValues(lists, 'accept')).toEqual(['a, b'])
  })
})

describe('its body', () => {
  it('is read whole, once', async () => {
    const sent = post('hällo')
    expect(Buffer.from(await sent.readBody(100)).toString()).toBe('hällo')
    await expect(sent.readBody(100)).rejects.toThrow('twice')
  })

  it('is empty where there is none', async () => {
    expect(await fromFetch(new Request('https://mcp.test/')).readBody(1)).toHaveLength(0)
  })

  it('is 413 past the limit, however it comes', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
    })
    for (const body of ['x'.repeat(101), endless]) {
      await expect(post(body).readBody(100)).rejects.toMatchObject({ status: 413 })
    }
    await expect(post('x', { 'content-length': '101' }).readBody(100)).rejects.toMatchObject({
      status: 413,
    })
    expect(await post('x'.repeat(100)).readBody(100)).toHaveLength(100)
  })

  it('DS-09 a stream past the limit is cancelled', async () => {
    let cancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => void (cancelled = true),
    })
    await expect(post(endless).readBody(100)).rejects.toMatchObject({ status: 413 })
    expect(cancelled).toBe(true)
  })

  it.each(['gzip', 'br', 'identity, gzip', 'GZIP'])('DS-04 is 415 in %s', async (coding) => {
    await expect(post('x', { 'content-encoding': coding }).readBody(100)).rejects.toMatchObject({
      status: 415,
    })
  })

  it('is 400 when it breaks off', async () => {
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new Error('reset')),
    })
    await expect(post(broken).readBody(100)).rejects.toMatchObject({
      code: 'invalid_request',
      status: 400,
    })
  })
})

describe('a response', () => {
  it('is the same in Fetch', async () => {
    const response = toResponse({ status: 401, headers: { 'x-a': '1' }, body: 'ä' })
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([
      401,
      '1',
      'ä',
    ])
  })

  it('RFC 6265 §3 keeps cookies apart', () => {
    const cookies = ['a=1; Path=/', 'b=2, 3; Path=/']
    const { headers } = toResponse({ status: 200, headers: { 'set-cookie': cookies }, body: '' })
    expect(headers.getSetCookie()).toEqual(cookies)
  })

  it.each([204, 303, 304])('%s has no body', (status) => {
    expect(toResponse({ status, headers: {}, body: undefined }).body).toBeNull()
  })
})
