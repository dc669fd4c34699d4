/** The example of Cloudflare Workers and Upstash, as somebody copies it: workerd, before a real Redis. */
import { afterAll, describe, expect, it } from 'vitest'
import { post } from '../support/flow.ts'
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

  it('RFC 7009 §2.2 a user ends the only sign-in, with which nothing is left of the upstream', async () => {
    const grace = example.caller('grace')
    await grace.call('whoami')
    const form = { token: grace.tokens.refresh_token, client_id: grace.client_id }
    expect((await post(example, '/revoke', form)).status).toBe(200)
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
