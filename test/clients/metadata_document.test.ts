import { describe, expect, it } from 'vitest'
import { FetchError } from '../../src/http/safe_fetch.ts'
import { matchRedirectUri } from '../../src/protocol/redirect_uri.ts'
import { extendClient } from '../../src/server/clients/extend.ts'
import { resolveClient, resolveKnownClient } from '../../src/server/clients/resolve.ts'
import type { Context } from '../../src/server/config/context.ts'
import { METADATA_DOCUMENTS } from '../../src/server/config/defaults.ts'
import { sampleGrant } from '../../src/testing/contract/samples.ts'
import { createTestContext, START, type TestContextOptions } from '../support/context.ts'
import { DOCUMENTS } from './personas.ts'
import { createHost, errorOf } from './support.ts'

const DAY = 24 * 60 * 60
const URL_OF = 'https://client.example/c.json'
const DOCUMENT = {
  client_id: URL_OF,
  client_name: 'Client',
  redirect_uris: ['https://client.example/cb'],
}

function setUp(options: TestContextOptions = {}) {
  const host = createHost()
  host.serve(URL_OF, DOCUMENT)
  return { host, ...createTestContext({ fetch: host.fetch, ...options }) }
}

/** Another process with the same store: nothing in common but what is stored. */
function replica(context: Context): Context {
  return { ...context, config: { ...context.config } }
}

describe('CIMD §4 fetching', () => {
  it.each(DOCUMENTS.map((document) => [document.client_id, document] as const))(
    'CI-20 %s is accepted as its client publishes it',
    async (client_id, document) => {
      const { host, context } = setUp()
      host.serve(client_id, document)
      const client = await resolveClient(context, client_id)
      const method = document['token_endpoint_auth_method'] ?? 'none'
      expect(client).toMatchObject({ client_id, source: 'metadata_document' })
      expect(client.metadata.client_name).toBe(document['client_name'])
      expect(client.metadata.redirect_uris).toEqual(document['redirect_uris'])
      expect(client.metadata.token_endpoint_auth_method).toBe(method)
      expect(await resolveKnownClient(context, client_id)).toEqual(client)
    },
  )

  it.each([
    ['https://claude.ai/oauth/claude-code-client-metadata', 'http://localhost:51234/callback'],
    ['https://chatgpt.com/oauth/codex/client.json', 'http://127.0.0.1:51234/callback'],
    ['https://vscode.dev/oauth/client-metadata.json', 'http://127.0.0.1:51234/'],
    ['https://github.com/copilot/cli/client-metadata.json', 'http://127.0.0.1:51234/'],
    ['https://zed.dev/oauth/client-metadata.json', 'http://127.0.0.1:51234/callback'],
  ])('RFC 8252 §7.3 %s may choose its port', async (client_id, redirect_uri) => {
    const { host, context } = setUp()
    host.serve(
      client_id,
      DOCUMENTS.find((document) => document.client_id === client_id),
    )
    const { metadata } = await resolveClient(context, client_id)
    expect(matchRedirectUri(redirect_uri, metadata.redirect_uris)).toBeDefined()
    expect(matchRedirectUri(`${redirect_uri}x`, metadata.redirect_uris)).toBeUndefined()
  })

  it('CI-21 a document at another address is refused', async () => {
    const { host, context } = setUp()
    const other = 'https://client.example/other.json'
    host.serve(other, DOCUMENT)
    expect((await errorOf(resolveClient(context, other))).code).toBe('invalid_client')
    expect(await context.store.find('client', other)).toBeUndefined()
  })

  it.each([301, 302, 303, 307, 308])(
    'CI-22 a %i is refused, its target never asked',
    async (status) => {
      const { host, context } = setUp()
      const headers = {
        location: 'https://client.example/real.json',
        'content-type': 'application/json',
      }
      const body = Buffer.from(JSON.stringify(DOCUMENT))
      host.answer(URL_OF, { status, headers, body })
      expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
      expect(host.fetched).toEqual([URL_OF])
    },
  )

  it.each([201, 203, 204, 206, 304, 400, 401, 403, 404, 410, 429, 500, 502, 503])(
    'CI-23 a %i is an error, whatever it carries',
    async (status) => {
      const { host, context } = setUp()
      host.answer(URL_OF, { status, body: Buffer.from(JSON.stringify(DOCUMENT)) })
      const error = await errorOf(resolveClient(context, URL_OF))
      const isDown = status >= 500 || status === 429
      expect(error.code).toBe(isDown ? 'temporarily_unavailable' : 'invalid_client')
      expect(error.status).toBe(isDown ? 503 : 400)
      expect(await context.store.find('client', URL_OF)).toBeUndefined()
    },
  )

  it.each([
    ['text/html'],
    ['text/plain'],
    ['text/json'],
    ['application/jsonp'],
    ['application/octet-stream'],
    [''],
    [undefined],
  ])('CI-23 the content type %j is refused', async (type) => {
    const { host, context } = setUp()
    const headers: { [name: string]: string } = type === undefined ? {} : { 'content-type': type }
    host.answer(URL_OF, { headers, body: Buffer.from(JSON.stringify(DOCUMENT)) })
    expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
  })

  it.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['Application/JSON'],
    ['application/cimd+json'],
  ])('CI-20 the content type %j is JSON', async (type) => {
    const { host, context } = setUp()
    host.serve(URL_OF, DOCUMENT, { 'content-type': type })
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
  })

  it('CI-25 asks for 5 KiB within 5 seconds, and refuses more', async () => {
    const limits: unknown[] = []
    const { host, context } = setUp()
    const watched: Context = {
      ...context,
      fetch: (url, request) => {
        limits.push([request.maxBytes, request.timeout, request.method, request.headers])
        return host.fetch(url, request)
      },
    }
    host.serve(URL_OF, { ...DOCUMENT, padding: 'x'.repeat(5 * 1024) })
    expect((await errorOf(resolveClient(watched, URL_OF))).code).toBe('invalid_client')
    expect(limits).toEqual([[5120, 5, undefined, { accept: 'application/json' }]])
  })

  it.each(['timeout', 'too_large', 'malformed', 'refused'] as const)(
    'CI-26 CI-44 a host that ends in %s is a client error, and the words do not tell which',
    async (failure) => {
      const { host, context } = setUp()
      host.answer(URL_OF, new FetchError(failure, `${failure} 10.0.0.7:22`))
      const error = await errorOf(resolveClient(context, URL_OF))
      host.answer(URL_OF, { status: 404 })
      const plain = await errorOf(resolveClient(replica(context), URL_OF))
      expect([error.code, error.status, error.description]).toEqual([
        'invalid_client',
        400,
        plain.description,
      ])
      expect(error.reason).toContain(failure)
    },
  )

  it('CI-05 a refused address answers alike for every port', async () => {
    const { host, context } = setUp()
    const answers = ['https://10.0.0.7:22/c', 'https://10.0.0.7:23/c'].map(async (url, port) => {
      host.answer(url, new FetchError('refused', `10.0.0.7:${port} is not public`))
      const { code, status, description, headers, retryAfter } = await errorOf(
        resolveClient(context, url),
      )
      return JSON.stringify([code, status, description, headers, retryAfter])
    })
    expect(new Set(await Promise.all(answers)).size).toBe(1)
  })

  it.each([
    ['a byte order mark', '\ufeff{}'],
    ['UTF-16', Buffer.from(JSON.stringify(DOCUMENT), 'utf16le')],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['not JSON', '{'],
    ['two documents', `${JSON.stringify(DOCUMENT)}${JSON.stringify(DOCUMENT)}`],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', JSON.stringify([DOCUMENT])],
    ['a text', '"x"'],
    ['5,000 levels', '['.repeat(2500) + ']'.repeat(2500)],
    [
      'a prototype',
      JSON.stringify({ x: 1 }).replace('"x":1', `"__proto__":${JSON.stringify(DOCUMENT)}`),
    ],
  ])('CI-45 %s is no document', async (_, body) => {
    const { host, context } = setUp()
    host.answer(URL_OF, { body: Buffer.from(body as string) })
    expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
  })

  it('CI-45 of a name that stands twice the last value counts', async () => {
    const { host, context } = setUp()
    const text = JSON.stringify(DOCUMENT).replace('{', '{"client_id":"https://evil.example/c",')
    host.answer(URL_OF, { body: Buffer.from(text) })
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
    const reversed = JSON.stringify(DOCUMENT).replace('}', ',"client_id":"https://evil.example/c"}')
    const other = 'https://client.example/d.json'
    host.answer(other, { body: Buffer.from(reversed) })
    expect((await errorOf(resolveClient(context, other))).code).toBe('invalid_client')
  })

  it.each([
    ['https://client.example'],
    ['https://client.example/'],
    ['https://user@client.example/c'],
    ['https://client.example/c#f'],
    ['https://client.example/a/../c'],
    ['http://client.example/c'],
    ['https://127.1/c'],
    [`https://client.example/${'a'.repeat(3000)}`],
    ['https:x'],
  ])('CI-03 CI-47 %s is refused before any fetch', async (url) => {
    const { host, context } = setUp()
    const error = await errorOf(resolveClient(context, url))
    expect([error.code, error.status]).toEqual(['invalid_client', 400])
    expect(host.fetched).toEqual([])
  })

  it('CI-48 http on loopback is fetched only where the operator allows it by its loud name', async () => {
    const url = 'http://127.0.0.1:8080/c.json'
    const { host, context } = setUp()
    host.serve(url, { ...DOCUMENT, client_id: url })
    expect((await errorOf(resolveClient(context, url))).code).toBe('invalid_client')
    expect(host.fetched).toEqual([])
    const metadataDocuments = { ...METADATA_DOCUMENTS, dangerouslyAllowPrivateAddresses: true }
    const open = { ...context, config: { ...context.config, metadataDocuments } }
    expect((await resolveClient(open, url)).client_id).toBe(url)
  })

  it('§5 switched off, nothing is fetched', async () => {
    const metadataDocuments = { ...METADATA_DOCUMENTS, enabled: false }
    const { host, context } = setUp({ config: { metadataDocuments } })
    expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
    expect(host.fetched).toEqual([])
  })
})

describe('CIMD §4.3 keeping', () => {
  it('CI-39 keeps within its bounds what the headers say', async () => {
    const cases: readonly (readonly [{ readonly [name: string]: string }, number])[] = [
      [{}, 60],
      [{ 'cache-control': 'max-age=0' }, 60],
      [{ 'cache-control': 'max-age=-1' }, 60],
      [{ 'cache-control': 'max-age=1000000000000' }, 600],
      [{ 'cache-control': 'max-age=1e999' }, 60],
      [{ 'cache-control': 'max-age=abc' }, 60],
      [{ 'cache-control': 'no-store' }, 60],
      [{ 'cache-control': 'no-cache, max-age=600' }, 60],
      [{ 'cache-control': 'max-age=600' }, 600],
      [{ 'cache-control': 'private, max-age=600' }, 600],
      [{ 'cache-control': 'max-age=600', 'set-cookie': 'a=b' }, 600],
      [{ 'cache-control': 'max-age=600', age: '100' }, 500],
      [{ 'cache-control': 'max-age=600', age: '1000' }, 60],
      [{ 'cache-control': 'max-age=600, max-age=300' }, 300],
      [{ 'cache-control': 'max-age=600', vary: '*' }, 60],
      [{ expires: '0' }, 60],
      [{ date: 'Mon, 01 Jan 2024 00:00:00 GMT', expires: 'nonsense' }, 60],
      [{ 'cache-control': 'max-age=60, stale-while-revalidate=5000, stale-if-error=5000' }, 60],
    ]
    for (const [headers, seconds] of cases) {
      const { host, context, advance } = setUp()
      host.serve(URL_OF, DOCUMENT, headers)
      await resolveClient(context, URL_OF)
      const found = await context.store.find('client', URL_OF)
      expect([headers, found?.record.freshUntil]).toEqual([headers, START + seconds])
      advance(seconds - 1)
      await resolveClient(context, URL_OF)
      expect(host.fetched).toHaveLength(1)
      advance(1)
      await resolveClient(context, URL_OF)
      expect(host.fetched).toHaveLength(2)
    }
  })

  it('CI-39 keeps the document of a client that somebody signed in with for a day at most', async () => {
    for (const [seconds, kept] of [
      [1000, 1000],
      [10 * DAY, DAY],
    ] as const) {
      const { host, context } = setUp()
      await context.store.insert('grant', sampleGrant({ client_id: URL_OF }))
      host.serve(URL_OF, DOCUMENT, { 'cache-control': `max-age=${seconds}` })
      await resolveClient(context, URL_OF)
      const found = await context.store.find('client', URL_OF)
      expect(found?.record.freshUntil).toBe(START + kept)
    }
  })

  it('CI-39 never longer than the operator wants, nor shorter, used or not', async () => {
    for (const [minFresh, maxFresh] of [
      [60, 120],
      [3600, 7200],
    ] as const) {
      const metadataDocuments = { ...METADATA_DOCUMENTS, minFresh, maxFresh }
      const { host, context } = setUp({ config: { metadataDocuments } })
      host.serve(URL_OF, DOCUMENT, { 'cache-control': 'max-age=86400' })
      await resolveClient(context, URL_OF)
      const found = await context.store.find('client', URL_OF)
      const expected = Math.min(maxFresh, Math.max(600, minFresh))
      expect(found?.record.freshUntil).toBe(START + expected)
    }
  })

  it('CI-50 ST-25 documents that nobody signed in with are gone within half an hour', async () => {
    const { host, context, advance } = setUp()
    const longLived = { 'cache-control': 'max-age=86400' }
    const theirs = Array.from({ length: 1000 }, (_, at) => `https://h${at}.example/c`)
    for (const url of theirs) host.serve(url, { ...DOCUMENT, client_id: url }, longLived)
    for (const url of theirs) await resolveClient(context, url).catch(() => undefined)
    expect(host.fetched).toHaveLength(METADATA_DOCUMENTS.fetchesTotal)
    advance(30 * 60)
    expect(await context.store.deleteExpired(context.clock(), 1000)).toBe(host.fetched.length)
  })

  it('CI-38 the copy is of the exact client_id and no other', async () => {
    const { host, context } = setUp()
    await resolveClient(context, URL_OF)
    for (const url of [`${URL_OF}?x`, `${URL_OF}/`, 'https://client.example/C.json']) {
      expect((await errorOf(resolveClient(context, url))).code).not.toBe('')
      expect(host.fetched).toContain(url)
    }
    const spellings = ['https://client.example:443/c.json', 'https://CLIENT.example/c.json']
    for (const url of spellings) {
      expect((await errorOf(resolveClient(context, url))).code).toBe('invalid_client')
      expect(host.fetched).not.toContain(url)
    }
  })

  it('a copy is shared through the store by every process', async () => {
    const { host, context } = setUp()
    const client = await resolveClient(context, URL_OF)
    expect(await resolveClient(replica(context), URL_OF)).toEqual(client)
    expect(host.fetched).toHaveLength(1)
  })

  it('CI-30 neither an error nor an invalid document is kept', async () => {
    const { host, context } = setUp()
    const longLived = { 'cache-control': 'max-age=3600', 'content-type': 'application/json' }
    host.serve(URL_OF, { ...DOCUMENT, redirect_uris: [] }, longLived)
    expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
    host.answer(URL_OF, { status: 404, headers: longLived })
    expect((await errorOf(resolveClient(context, URL_OF))).code).toBe('invalid_client')
    host.serve(URL_OF, DOCUMENT)
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
  })

  it.each(['unreachable', 'timeout'] as const)(
    'CI-43 a host that was silent (%s) is left alone for ten seconds',
    async (failure) => {
      const { host, context, advance } = setUp()
      host.answer(URL_OF, new FetchError(failure, 'silence'))
      const first = await errorOf(resolveClient(context, URL_OF))
      const second = await errorOf(resolveClient(context, URL_OF))
      expect(second).toBe(first)
      expect(host.fetched).toHaveLength(1)
      host.serve(URL_OF, DOCUMENT)
      advance(10)
      expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
    },
  )

  it('CI-31 fifty at once cause one fetch, and all get the answer', async () => {
    const { host, context } = setUp()
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => resolveClient(context, URL_OF)),
    )
    expect(host.fetched).toHaveLength(1)
    expect(new Set(clients.map(({ client_id }) => client_id))).toEqual(new Set([URL_OF]))
  })

  it('CI-31 fifty at once of a failing document hear the same, and the next one tries anew', async () => {
    const { host, context } = setUp()
    host.answer(URL_OF, { status: 404 })
    const errors = await Promise.all(
      Array.from({ length: 50 }, () => errorOf(resolveClient(context, URL_OF))),
    )
    expect(errors.every(({ code }) => code === 'invalid_client')).toBe(true)
    expect(host.fetched).toHaveLength(1)
    host.serve(URL_OF, DOCUMENT)
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
  })

  it('CI-43 a host is asked thirty times a minute at most, whatever is asked of it', async () => {
    const { host, context } = setUp()
    let unavailable = 0
    for (let index = 0; index < 1000; index += 1) {
      const error = await errorOf(resolveClient(context, `https://victim.example/c?q=${index}`))
      if (error.code === 'temporarily_unavailable' && error.reason.startsWith('too many')) {
        expect(error.retryAfter).toBeGreaterThan(0)
        unavailable += 1
      }
    }
    expect(host.fetched.length).toBeLessThanOrEqual(31)
    expect(unavailable).toBeGreaterThan(960)
  })

  it('CI-43 all hosts together are asked a bounded number of times, and known clients are not starved', async () => {
    const { host, context, advance } = setUp()
    await resolveClient(context, URL_OF)
    await context.store.insert('grant', sampleGrant({ client_id: URL_OF }))
    for (let index = 0; index < 1000; index += 1) {
      await errorOf(resolveClient(context, `https://h${index}.example/c`))
    }
    expect(host.fetched.length).toBeLessThanOrEqual(302)
    advance(METADATA_DOCUMENTS.minFresh)
    for (let index = 0; index < 400; index += 1) {
      await errorOf(resolveClient(context, `https://i${index}.example/c`))
    }
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
    expect(host.fetched.filter((url) => url === URL_OF)).toHaveLength(2)
  })

  it('CI-43 good documents of strangers do not starve them either, however often they are asked for', async () => {
    const { host, context, advance } = setUp()
    await resolveClient(context, URL_OF)
    await context.store.insert('grant', sampleGrant({ client_id: URL_OF }))
    const theirs = Array.from({ length: 600 }, (_, index) => `https://h${index}.example/c`)
    for (const url of theirs) host.serve(url, { ...DOCUMENT, client_id: url })
    for (let minute = 0; minute < 3; minute += 1) {
      advance(METADATA_DOCUMENTS.minFresh + 1)
      for (const url of theirs) await resolveClient(context, url).catch(() => undefined)
    }
    advance(METADATA_DOCUMENTS.minFresh + 1)
    for (const url of theirs) await resolveKnownClient(context, url).catch(() => undefined)
    expect((await resolveClient(context, URL_OF)).client_id).toBe(URL_OF)
    expect(host.fetched.at(-1)).toBe(URL_OF)
  })
})

describe('CIMD §6.3 a document that changes or goes', () => {
  it('CI-40 a stale copy serves what exists, and never a new authorization', async () => {
    const { host, context, advance } = setUp()
    const client = await resolveClient(context, URL_OF)
    await extendClient(context, client, START + 30 * DAY)
    advance(METADATA_DOCUMENTS.minFresh)
    for (const answer of [
      new FetchError('unreachable', 'down'),
      new FetchError('timeout', 'slow'),
      { status: 404 },
      { status: 403 },
      { status: 503 },
    ]) {
      host.answer(URL_OF, answer)
      expect(await resolveKnownClient(context, URL_OF)).toEqual(client)
      const code = (await errorOf(resolveClient(context, URL_OF))).code
      expect(['invalid_client', 'temporarily_unavailable']).toContain(code)
      advance(10)
    }
    advance(METADATA_DOCUMENTS.maxStale)
    host.answer(URL_OF, new FetchError('unreachable', 'down'))
    const late = await errorOf(resolveKnownClient(context, URL_OF))
    expect(late.code).toBe('temporarily_unavailable')
    advance(10)
    host.answer(URL_OF, { status: 404 })
    expect((await errorOf(resolveKnownClient(context, URL_OF))).code).toBe('invalid_client')
    host.serve(URL_OF, DOCUMENT)
    expect(await resolveKnownClient(context, URL_OF)).toEqual(client)
  })

  it('CI-40 a copy outlives the sign-in that began with it while fresh', async () => {
    const { context, advance } = setUp()
    await resolveClient(context, URL_OF)
    advance(METADATA_DOCUMENTS.minFresh - 1)
    const { signIn, code } = context.config.lifetimes
    advance(signIn + code)
    await context.store.deleteExpired(context.clock(), 1000)
    expect((await resolveKnownClient(context, URL_OF)).client_id).toBe(URL_OF)
  })

  it('CI-40 a copy that a grant extended stays extended when it is fetched anew', async () => {
    const { context, advance } = setUp()
    const client = await resolveClient(context, URL_OF)
    await extendClient(context, client, START + 30 * DAY)
    advance(DAY)
    await resolveClient(context, URL_OF)
    advance(20 * DAY)
    await context.store.deleteExpired(context.clock(), 1000)
    expect((await resolveKnownClient(context, URL_OF)).client_id).toBe(URL_OF)
  })

  it('CI-41 a redirect URI that was dropped is gone once the copy is no longer fresh', async () => {
    const { host, context, advance } = setUp()
    await resolveClient(context, URL_OF)
    host.serve(URL_OF, { ...DOCUMENT, redirect_uris: ['https://client.example/new'] })
    advance(METADATA_DOCUMENTS.minFresh)
    for (const resolve of [resolveClient, resolveKnownClient]) {
      const { metadata } = await resolve(context, URL_OF)
      expect(metadata.redirect_uris).toEqual(['https://client.example/new'])
    }
  })

  it('CI-06 the back channel fetches nothing that was not fetched before', async () => {
    const { host, context } = setUp()
    const urls = [URL_OF, 'https://127.0.0.1/c', 'https://10.0.0.1:22/c', 'https://h.example/c']
    for (const url of urls) {
      expect((await errorOf(resolveKnownClient(context, url))).code).toBe('invalid_client')
    }
    expect(host.fetched).toEqual([])
  })
})
