/**
 * Requests by hand, and a host double at the network's edge: what a client's host answers, and how often
 * it was asked.
 */
import { parseForm, type Form } from '../../src/http/form.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import { FetchError, type FetchResult, type SafeFetch } from '../../src/http/safe_fetch.ts'
import { OAuthError } from '../../src/protocol/errors.ts'

export interface Sent {
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
  readonly remoteAddress?: string
}

/** A POST as it comes over the wire. */
export function post({ headers = [], body = '', remoteAddress = '192.0.2.1' }: Sent): HttpRequest {
  return {
    method: 'POST',
    path: '/',
    query: '',
    rawHeaders: headers,
    remoteAddress,
    readBody: async (limit) => {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      if (bytes.length <= limit) return bytes
      throw new OAuthError('invalid_request', 'the body is too large', { status: 413 })
    },
  }
}

export function form(parameters: { readonly [name: string]: string }): Form {
  return parseForm(new URLSearchParams(parameters).toString())
}

export function basic(client_id: string, client_secret: string): readonly string[] {
  const pair = `${encode(client_id)}:${encode(client_secret)}`
  return ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]
}

function encode(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2)
}

type Answer = Partial<FetchResult> | FetchError

export interface Host {
  readonly fetch: SafeFetch
  /** Every URL that was fetched, in order. */
  readonly fetched: readonly string[]
  /** What `url` answers from now on; JSON with status 200 unless told otherwise. */
  answer(url: string, answer: Answer): void
  serve(url: string, value: unknown, headers?: { readonly [name: string]: string }): void
}

/** A double of the network: whatever is not served refuses the connection. */
export function createHost(): Host {
  const answers = new Map<string, Answer>()
  const fetched: string[] = []
  const host: Host = {
    fetched,
    fetch: async (url, { maxBytes }) => {
      fetched.push(url)
      await new Promise((resolve) => setImmediate(resolve))
      const answer = answers.get(url) ?? new FetchError('unreachable', 'connection refused')
      if (answer instanceof FetchError) throw answer
      const body = answer.body ?? new Uint8Array()
      if (body.length > maxBytes) throw new FetchError('too_large', 'too large')
      return { status: 200, headers: { 'content-type': 'application/json' }, ...answer, body }
    },
    answer: (url, answer) => void answers.set(url, answer),
    serve: (url, value, headers = {}) =>
      host.answer(url, {
        headers: { 'content-type': 'application/json', ...headers },
        body: Buffer.from(JSON.stringify(value)),
      }),
  }
  return host
}

/** The error that `work` ends with. */
export async function errorOf(work: Promise<unknown>): Promise<OAuthError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof OAuthError) return error
  throw new Error('it was let through, or another error was thrown', { cause: error })
}
