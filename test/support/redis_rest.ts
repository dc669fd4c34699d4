/**
 * The REST interface of Upstash in front of a real Redis, which does what the commands say: the bearer
 * token, one command, a pipeline, a transaction, and answers in base64 on request.
 */
import { Redis } from 'ioredis'
import { startHttp, type TestHttp } from './redis_http.ts'

type Words = readonly string[]

export async function startRest(port: number, token: string): Promise<TestHttp> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 })
  redis.on('error', () => undefined)
  const one = async ([name = '', ...words]: Words, base64: boolean): Promise<object> =>
    redis.call(name, ...words).then(
      (result) => ({ result: base64 ? encoded(result) : result }),
      (error: Error) => ({ error: error.message }),
    )
  const http = await startHttp(async ({ path, headers, body }) => {
    if (headers['authorization'] !== `Bearer ${token}`) return [401, { error: 'Unauthorized' }]
    const base64 = headers['upstash-encoding'] === 'base64'
    const words = JSON.parse(body) as Words | readonly Words[]
    if (path === '/pipeline') {
      return [200, await Promise.all((words as readonly Words[]).map((each) => one(each, base64)))]
    }
    if (path === '/multi-exec') {
      const results = await redis.multi((words as string[][]).map((each) => each)).exec()
      return [
        200,
        (results ?? []).map(([, result]) => ({ result: base64 ? encoded(result) : result })),
      ]
    }
    const answer = await one(words as Words, base64)
    return ['error' in answer ? 400 : 200, answer]
  })
  return {
    ...http,
    close: async () => {
      redis.disconnect()
      await http.close()
    },
  }
}

function encoded(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(encoded)
  if (typeof result !== 'string' || result === 'OK') return result
  return Buffer.from(result).toString('base64')
}
