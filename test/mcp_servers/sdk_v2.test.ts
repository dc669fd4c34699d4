/**
 * Servers of SDK v2 on Express, Hono and node:http, with its own `requireBearerAuth`, and on mcp-handler 2
 * with and without its `withMcpAuth`.
 */
import { describe } from 'vitest'
import { redisSuite } from '../support/redis.ts'
import { compile, describeProject, programs } from './drive.ts'

redisSuite(describe, 'SDK v2', () => {
  describeProject('sdk_v2', compile, [
    { ...programs('express'), toolScopes: 'guard', outage: 503 },
    { ...programs('hono'), toolScopes: 'guard', outage: 503 },
    { ...programs('node'), toolScopes: 'guard', outage: 503 },
    { ...programs('bearer'), toolScopes: 'framework', outage: 500, open: false },
    { ...programs('mcp_handler'), toolScopes: 'guard', outage: 503 },
    { ...programs('with_mcp_auth'), toolScopes: 'framework', outage: 401, open: false },
  ])
})
