/**
 * What the skill tells an agent to run once its server stands, run as it is written there but for the address; and
 * the official client, which knows nothing of the skill.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { signInHeadless } from '../e2e/support/headless.ts'
import { textOf } from '../e2e/support/notes_server.ts'
import { createProvider } from '../e2e/support/provider.ts'
import type { TestOidcProvider } from '../support/oidc_provider.ts'
import { blocksOf, SKILL } from './skill.ts'

/** Proves a server at `origin` by everything that the skill has for that; its `whoami` asks the provider. */
export async function expectSignIn(
  origin: string,
  issuer: string,
  provider: TestOidcProvider,
): Promise<void> {
  await expectCurl(origin, issuer)
  const { status, told } = await check(origin, provider)
  expect(told).toMatch(/ok {5}whoami answers: .*"user":"ada"/)
  expect(told).toContain('The sign-in works.')
  expect(status).toBe(0)
  expect(told).not.toMatch(/mcp_(at|rt)/)
  expect(await callAsOfficialClient(origin, provider)).toMatchObject({ user: 'grace' })
}

/** The commands of step 5, as they stand there but for the port, and the path that an issuer may have. */
async function expectCurl(origin: string, issuer: string): Promise<void> {
  const commands = blocksOf('SKILL.md').find(({ text }) => text.startsWith('curl'))?.text ?? ''
  const { told } = await shell(
    commands
      .replaceAll('http://localhost:3000', origin)
      .replace(/oauth-authorization-server$/m, (path) => path + issuer.slice(origin.length)),
  )
  expect(told).toMatch(/^HTTP\/1\.1 401 /)
  expect(told).toMatch(/^www-authenticate: Bearer resource_metadata="/m)
  expect(told).toContain(`"resource":"${origin}/mcp"`)
  expect(told).toContain(`"issuer":"${issuer}"`)
}

/** The skill's own check, run as it says, while Ada does what it asks the user to do. */
async function check(
  origin: string,
  provider: TestOidcProvider,
): Promise<{ status: number | null; told: string }> {
  const command = blocksOf('SKILL.md').find(({ text }) => text.startsWith('node scripts/'))?.text
  const asked = (command ?? '').replaceAll('http://localhost:3000', origin)
  return await shell(asked, async (url) => {
    await fetch(await signInHeadless(url, provider, 'ada'))
  })
}

/** Runs `script` in the skill's folder, and opens the first sign-in that it asks for. */
export async function shell(
  script: string,
  open?: (url: string) => Promise<void>,
): Promise<{ status: number | null; told: string }> {
  const child = spawn('sh', ['-c', script], { cwd: SKILL, stdio: ['ignore', 'pipe', 'pipe'] })
  let told = ''
  let opened: Promise<void> | undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      told += chunk
      const [, url] = /^ {2}(http\S+)\n/m.exec(told) ?? []
      if (url !== undefined && open !== undefined) opened ??= open(url)
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  await opened
  return { status, told }
}

async function callAsOfficialClient(origin: string, upstream: TestOidcProvider): Promise<unknown> {
  const authProvider = createProvider('http://127.0.0.1:1/callback')
  const url = new URL(`${origin}/mcp`)
  const first = new StreamableHTTPClientTransport(url, { authProvider })
  const client = new Client({ name: 'a client', version: '1' })
  await expect(client.connect(first)).rejects.toThrow(/unauthorized/i)
  const asked = authProvider.kept.authorizationUrl?.href ?? ''
  await first.finishAuth((await signInHeadless(asked, upstream, 'grace')).searchParams)
  const signedIn = new Client({ name: 'a client', version: '1' })
  await signedIn.connect(new StreamableHTTPClientTransport(url, { authProvider }))
  const answer = await signedIn.callTool({ name: 'whoami', arguments: {} })
  await signedIn.close()
  return JSON.parse(textOf(answer))
}
