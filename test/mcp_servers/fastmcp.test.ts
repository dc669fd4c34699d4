/** A server of FastMCP, which has its own HTTP server and reads a message before it asks who sends it. */
import { describe } from 'vitest'
import { redisSuite } from '../support/redis.ts'
import { compile, describeProject, programs } from './drive.ts'

redisSuite(describe, 'FastMCP', () => {
  describeProject('fastmcp', compile, [
    { ...programs('server'), toolScopes: 'framework', outage: 503 },
  ])
})
