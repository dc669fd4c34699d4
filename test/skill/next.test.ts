/**
 * The same on Next.js with mcp-handler and Upstash: the files of the skill in an app that is built without any
 * secret, and started with them.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { startOidcProvider, type TestOidcProvider } from '../support/oidc_provider.ts'
import { installProject, type Project } from '../support/project.ts'
import { redisSuite, startRedis, type TestRedis } from '../support/redis.ts'
import type { TestHttp } from '../support/redis_http.ts'
import { startRest } from '../support/redis_rest.ts'
import { expectSignIn } from './drive.ts'
import { blockOf, blocksOf, withUpstream } from './skill.ts'
import { freePort } from '../support/free_port.ts'

const PROJECT = join(import.meta.dirname, 'projects/next')
const MODULE = 'lib/mcp_oauth.ts'
const QUIET = { NEXT_TELEMETRY_DISABLED: '1' }

function filesOf(provider: TestOidcProvider): { [path: string]: string } {
  const files: { [path: string]: string } = {}
  for (const { file, text } of blocksOf('references/next.md')) {
    if (file !== undefined) {
      files[file] = text.replaceAll('https://api.github.com/user', provider.notesUrl)
    }
  }
  const oidc = blockOf('references/upstreams.md', 'mcp_oauth.ts', 'Any OpenID')
  return { ...files, [MODULE]: withUpstream(files[MODULE] ?? '', oidc) }
}

redisSuite(describe, 'the Next.js app of the skill', () => {
  let provider: TestOidcProvider
  let project: Project
  let redis: TestRedis
  let rest: TestHttp

  beforeAll(async () => {
    provider = await startOidcProvider()
    redis = await startRedis()
    rest = await startRest(redis.port, 'token')
    project = await installProject(PROJECT, { files: filesOf(provider) })
    await project.run('npx', ['next', 'build'], QUIET)
  }, 300_000)
  afterAll(async () => {
    await rest.close()
    await redis.close()
    await provider.close()
  })

  it('signs in, and its tool acts as the user', async () => {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    const issuer = `${origin}/oauth`
    provider.allowRedirect(`${issuer}/callback`)
    const env = {
      ...QUIET,
      MCP_OAUTH_ISSUER: issuer,
      MCP_OAUTH_KEYS: generateKey(),
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.client_id,
      OIDC_CLIENT_SECRET: provider.client_secret,
      KV_REST_API_URL: rest.url,
      KV_REST_API_TOKEN: 'token',
    }
    const args = ['next', 'start', '-H', '127.0.0.1', '-p', String(port)]
    const app = await project.start('npx', args, `${origin}/mcp`, env)
    await expectSignIn(origin, issuer, provider)
    expect(app.told()).not.toMatch(/error/i)
    await app.stop()
  })
})
