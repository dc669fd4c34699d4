/** The example of Cloudflare Workers and Upstash, as somebody copies it: workerd, before a real Redis. */
import { afterAll, describe, expect, it } from 'vitest'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'
import { describeNotes, describeRestart, useExample } from './example.ts'

redisSuite(describe, 'the example of Workers and Upstash', () => {
  let redis: TestRedis
  let rest: TestHttp
  const example = useExample('workers-upstash', async () => {
    redis = await startRedis()
    rest = await startRest(redis.port, 'a-token')
    return { KV_REST_API_URL: rest.url, KV_REST_API_TOKEN: 'a-token' }
  })
  afterAll(async () => {
    await rest.close()
    await redis.close()
  })

  it('type-checks by itself', async () => {
    expect(await example.project.run('npx', ['tsc', '--noEmit'])).toBe('')
  })

  const known = describeNotes(example)

  it('many calls at once are answered, each as its user', async () => {
    const grace = example.caller('grace')
    await grace.call('whoami')
    const callers = [known.ada, grace, known.ada, grace, known.ada, grace]
    const answers = await Promise.all(callers.map((caller) => caller.callRaw('whoami')))
    const told = await Promise.all(answers.map((answer) => answer.text()))
    expect(told.map((text) => /\\"sub\\":\\"(\w+)/.exec(text)?.[1])).toEqual(
      callers.map((caller) => (caller === grace ? 'grace' : 'ada')),
    )
  })

  describeRestart(example, known)
})
