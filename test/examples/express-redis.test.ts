/** The example of Express and Redis, as somebody copies it, with two replicas. */
import { afterAll, describe, expect, it } from 'vitest'
import { post } from '../support/flow.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import { describeNotes, describeRestart, useExample } from './example.ts'
import { freePort } from '../support/free_port.ts'

redisSuite(describe, 'the example of Express and Redis', () => {
  let redis: TestRedis
  const example = useExample('express-redis', async () => {
    redis = await startRedis()
    return { REDIS_URL: redis.url }
  })
  afterAll(() => redis.close())

  it('type-checks by itself', async () => {
    expect(await example.project.run('npx', ['tsc', '--noEmit'])).toBe('')
  })

  const known = describeNotes(example)

  it('a second replica knows the sign-in, the notes, and a revocation at once', async () => {
    const first = example.program
    const port = await freePort()
    const second = await example.start({ PORT: `${port}` })
    example.program = first
    const at = `http://127.0.0.1:${port}/mcp`
    const { ada } = known
    const list = await ada.callRaw('list_notes', {}, at)
    expect([list.status, await list.text()]).toEqual([200, expect.stringContaining('of Ada')])

    const gone = example.caller('ada')
    await gone.call('whoami')
    expect((await gone.callRaw('whoami', {}, at)).status).toBe(200)
    const form = { token: gone.tokens.refresh_token, client_id: gone.client_id }
    expect((await post(example, '/revoke', form)).status).toBe(200)
    await expect.poll(async () => (await gone.callRaw('whoami', {}, at)).status).toBe(401)
    await second.stop()
  })

  describeRestart(example, known)
})
