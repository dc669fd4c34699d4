/** The REST interface of Upstash in front of a real Redis, on a free port: that of the demo. */
import { Redis } from 'ioredis'
import { answerRest } from '../../demo/redis_rest_answers.ts'
import { startHttp, type TestHttp } from './redis_http.ts'

export async function startRest(port: number, token: string): Promise<TestHttp> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 })
  redis.on('error', () => undefined)
  const http = await startHttp((asked) => answerRest(redis, token, asked))
  return {
    ...http,
    close: async () => {
      redis.disconnect()
      await http.close()
    },
  }
}
