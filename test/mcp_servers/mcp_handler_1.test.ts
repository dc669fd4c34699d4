/** Servers of mcp-handler 1, with and without its `withMcpAuth`. Those of mcp-handler 2 are with SDK v2. */
import { describe } from 'vitest'
import { redisSuite } from '../support/redis.ts'
import { compile, describeProject, programs } from './drive.ts'

redisSuite(describe, 'mcp-handler 1', () => {
  describeProject('mcp_handler_1', compile, [
    { ...programs('mcp_handler'), toolScopes: 'guard', outage: 503 },
    { ...programs('with_mcp_auth'), toolScopes: 'nobody', outage: 401, open: false },
  ])
})
