/**
 * The answer to what was sent out, read within its bound: one rule for every way out.
 */
import { FetchError, type FetchResult } from './fetch_interface.ts'

/** An answer whose body has not been read. */
export interface UnreadAnswer {
  readonly status: number
  /** Names and values as they came, doubles included. */
  readonly headers: Iterable<readonly [name: string, value: string]>
  readonly body: AsyncIterable<Uint8Array> | null
}

/** @throws FetchError `malformed` for what is encoded, `too_large` */
export async function readAnswer(
  { status, headers: sent, body }: UnreadAnswer,
  maxBytes: number,
): Promise<FetchResult> {
  const headers = joinHeaders(sent)
  // Asked for identity; a coding can hide any number of bytes behind a few.
  const coding = headers['content-encoding'] ?? 'identity'
  const transfer = headers['transfer-encoding'] ?? 'chunked'
  if (coding.toLowerCase() !== 'identity' || transfer.toLowerCase() !== 'chunked') {
    throw new FetchError('malformed', 'the answer is encoded')
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  return {
    status,
    headers,
    body: body === null ? new Uint8Array() : await readBody(body, maxBytes),
  }
}

async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function joinHeaders(sent: UnreadAnswer['headers']): { [name: string]: string } {
  const joined = new Map<string, string>()
  for (const [name, value] of sent) {
    const lower = name.toLowerCase()
    const known = joined.get(lower)
    joined.set(lower, known === undefined ? value : `${known}, ${value}`)
  }
  return Object.fromEntries(joined)
}

function tooLarge(): FetchError {
  return new FetchError('too_large', 'the answer is larger than what is read')
}
