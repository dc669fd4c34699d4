/**
 * What the REST interface of Upstash answers, in front of a real Redis, which does what the commands say:
 * the bearer token, one command, a pipeline, a transaction, and answers in base64 on request.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Redis } from 'ioredis'

export interface RestQuestion {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type RestAnswer = readonly [status: number, body: object]

type Words = readonly string[]

export async function answerRest(
  redis: Redis,
  token: string,
  { path, headers, body }: RestQuestion,
): Promise<RestAnswer> {
  if (headers['authorization'] !== `Bearer ${token}`) return [401, { error: 'Unauthorized' }]
  const base64 = headers['upstash-encoding'] === 'base64'
  const words = JSON.parse(body) as Words | readonly Words[]
  if (path === '/pipeline') {
    const commands = words as readonly Words[]
    return [200, await Promise.all(commands.map((each) => run(redis, each, base64)))]
  }
  if (path === '/multi-exec') {
    const results = await redis.multi((words as string[][]).map((each) => each)).exec()
    return [200, (results ?? []).map(([, result]) => told(result, base64))]
  }
  const answer = await run(redis, words as Words, base64)
  return ['error' in answer ? 400 : 200, answer]
}

async function run(redis: Redis, [name = '', ...words]: Words, base64: boolean): Promise<object> {
  return redis.call(name, ...words).then(
    (result) => told(result, base64),
    (error: Error) => ({ error: error.message }),
  )
}

function told(result: unknown, base64: boolean): object {
  return { result: base64 ? encoded(result) : result }
}

function encoded(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(encoded)
  if (typeof result !== 'string' || result === 'OK') return result
  return Buffer.from(result).toString('base64')
}
