/**
 * Servers of SDK v1: an open one on Express, and one that leaves the SDK's own authorization server,
 * `mcpAuthRouter`, and keeps its `requireBearerAuth`.
 */
import { describe } from 'vitest'
import { redisSuite } from '../support/redis.ts'
import { compile, describeProject, programs } from './drive.ts'

redisSuite(describe, 'SDK v1', () => {
  describeProject('sdk_v1', compile, [
    { ...programs('express'), toolScopes: 'guard', outage: 503 },
    { ...programs('router'), toolScopes: 'nobody', outage: 500, open: false },
  ])
})
