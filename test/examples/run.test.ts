/** `npm run example`, as somebody who has just cloned the repository types it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run, temporaryDirectory, type DemoProcess } from '../demo/support.ts'
import { createAgent } from '../support/agent.ts'
import { decide } from '../support/flow.ts'
import { redisSuite } from '../support/redis.ts'
import { createCaller, type Caller } from './caller.ts'
import { freePort, isFree } from '../support/free_port.ts'

const ROOT = join(import.meta.dirname, '../..')
const EXAMPLES = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const directory = temporaryDirectory()
afterAll(() => directory.remove())

const example = (args: readonly string[], settings: { [name: string]: string } = {}): DemoProcess =>
  run('scripts/example.js', { MCP_OAUTH_DEMO_DATA: directory.path, ...settings }, false, args)

describe('what it says', () => {
  it('names every example in a line', async () => {
    const list = example([])
    expect(await list.stop('SIGCONT')).toBe(0)
    const lines = list.said().match(/^ {2}npm run example \S+ +\S.*$/gm) ?? []
    expect(lines.map((line) => line.trim().split(/\s+/)[3])).toEqual(EXAMPLES)
  })

  it.each([
    [['nope'], {}, /^✗ "nope" is no example; there are .*hono-sqlite/],
    [['hono-sqlite', 'fast'], {}, /^✗ "hono-sqlite fast" is no example/],
    [['../test'], {}, /^✗ "..\/test" is no example/],
    [['hono-sqlite'], { PORT: 'eighty' }, /^✗ PORT=eighty is no port/],
    [['hono-sqlite'], { NODE_ENV: 'production' }, /^✗ .* not under NODE_ENV=production/],
  ])('%j %o', async (args, settings, said) => {
    const refused = example(args, settings)
    expect(await refused.stop('SIGCONT')).toBe(1)
    expect(refused.said()).toMatch(said)
    expect(refused.said().trim().split('\n')).toHaveLength(1)
  })

  it('names a port that is taken, and how to go elsewhere', async () => {
    const taken = createServer()
    const port = await freePort()
    await new Promise<void>((done) => taken.listen(port, '127.0.0.1', done))
    const refused = example(['hono-sqlite'], { PORT: `${port}` })
    expect(await refused.stop('SIGCONT')).toBe(1)
    taken.close()
    expect(refused.said()).toMatch(
      new RegExp(`✗ port ${port} is in use; .*PORT=\\d+ npm run example hono-sqlite`),
    )
  })

  it('names the command that installs Redis, where it is missing', async () => {
    // Nothing but what is needed to come so far.
    const refused = example(['express-redis'], {
      PATH: directory.path,
      PORT: `${await freePort(5)}`,
    })
    expect(await refused.stop('SIGCONT')).toBe(1)
    expect(refused.said()).toMatch(/✗ this example needs redis-server, .* install redis/)
  })
})

redisSuite(describe, 'npm run example express-redis', () => {
  let started: DemoProcess
  let port: number
  let ada: Caller

  /** Approves, chooses who they are at the demo's provider, and is sent back. */
  async function signIn(asked: string, redirect_uri: string): Promise<URLSearchParams> {
    const agent = createAgent()
    const approved = await decide(
      { issuer: `http://localhost:${port}` },
      agent,
      await agent.get(asked),
    )
    let at = approved.leadsTo ?? ''
    for (let step = 0; step < 8 && !at.startsWith(redirect_uri); step += 1) {
      const page = await agent.get(at)
      const asks = page.body.includes('Who are you today?')
      const next = asks ? await agent.post(at, { login: 'ada' }) : page
      at = new URL(next.leadsTo ?? '', at).href
    }
    return new URL(at).searchParams
  }

  const start = async (): Promise<void> => {
    started = example(['express-redis'], { PORT: `${port}` })
    await started.says('Ctrl-C stops it')
  }

  beforeAll(async () => {
    port = await freePort(5)
    await start()
    ada = createCaller(`http://localhost:${port}/mcp`, signIn)
  }, 240_000)
  afterAll(async () => void (await started.stop()))

  it('says where it is and how to connect a client', () => {
    const url = `http://localhost:${port}/mcp`
    expect(started.said()).toContain(`Ready: ${url}`)
    expect(started.said()).toContain(`claude mcp add --transport http express-redis ${url}`)
  })

  it("a tool acts at the demo's identity provider as the user", async () => {
    expect(JSON.parse((await ada.call('whoami')).text)).toMatchObject({ sub: 'ada' })
    await ada.call('add_note', { text: 'a note of Ada' })
  })

  it('leaves the folder of the example as it is, and keeps secrets to its owner', () => {
    const folder = readdirSync(join(ROOT, 'examples/express-redis'))
    expect(folder.filter((name) => ['node_modules', 'dist', '.env'].includes(name))).toEqual([])
    const env = join(directory.path, 'examples/express-redis/.env')
    expect(statSync(env).mode & 0o077).toBe(0)
    const keys = /MCP_OAUTH_KEYS=(.+)/.exec(readFileSync(env, 'utf8'))?.[1]
    expect(started.said()).not.toContain(keys)
  })

  it('Ctrl-C ends all of it', async () => {
    const pids = childrenOf(started.child.pid ?? 0)
    expect(await started.stop('SIGINT')).toBe(0)
    expect(started.said()).toContain('› Stopped')
    for (const pid of pids) expect(isRunning(pid), `${pid}`).toBe(false)
    for (let taken = port; taken < port + 5; taken += 1)
      expect(await isFree(taken), `${taken}`).toBe(true)
  })

  it('starts anew with everybody signed in, and installs only another package', async () => {
    const packed = tarball()
    await start()
    expect(started.said().includes('Installing')).toBe(tarball() !== packed)
    expect((await ada.call('list_notes')).text).toBe('["a note of Ada"]')
  }, 60_000)
})

function tarball(): string | undefined {
  const state = readdirSync(join(directory.path, 'example_state/express-redis'))
  return state.find((name) => name.endsWith('.tgz'))
}

/** All of them, those of children too; empty where the system does not tell. */
function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  const own = existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : []
  return [...own, ...own.flatMap(childrenOf)]
}

/** One that has ended may wait for somebody to ask how. */
function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`
  return existsSync(path) && !/^\d+ \(.*\) Z/.test(readFileSync(path, 'utf8'))
}
