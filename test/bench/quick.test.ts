/**
 * `npm run bench -- --quick`: every answer of what is measured is right, and one that is wrong ends the run.
 *
 * Here the peers are those that the package's own tests have: `mcpAuthRouter` of the SDK and oidc-provider.
 * Nothing is installed, and no time is judged.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildOnce } from '../support/build.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TARGETS = 'ours,ours-sqlite,gateway,proxy,gateway-command,sdk-v1,oidc-provider'
const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-bench-test-'))
let dist = ''

interface Results {
  readonly workloads: {
    readonly [name: string]: { readonly rows: readonly { readonly name: string }[] }
  }
}

beforeAll(async () => void (dist = await buildOnce()))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function bench(...args: readonly string[]) {
  const main = join(ROOT, 'bench/main.js')
  const child = spawn(process.execPath, [main, '--quick', '--dist', dist, ...args], {
    env: { ...process.env, NODE_ENV: undefined, VITEST: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (told += chunk))
  }
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, told }
}

describe('the benchmark', () => {
  test('finds every answer right, in every workload', { timeout: 180_000 }, async () => {
    const file = join(directory, 'results.json')
    const { status, told } = await bench('--only', TARGETS, '--json', file)
    expect(told).toContain('Every answer was right')
    expect(status).toBe(0)
    const { workloads } = JSON.parse(readFileSync(file, 'utf8')) as Results
    const measured = (name: string) => workloads[name]?.rows.map((row) => row.name)
    const beside = ['sdk-v1', 'oidc-provider']
    expect(measured('refresh')).toEqual(['floor', 'ours', 'ours-sqlite', 'gateway', ...beside])
    expect(measured('sign-in')).toEqual(['floor', 'ours', 'ours-sqlite', ...beside])
    expect(measured('call')).toEqual(['floor', 'ours', 'ours-sqlite', ...beside])
    expect(measured('growth')).toEqual(['ours 200', 'ours-sqlite 200'])
    expect(measured('gateway-call')).toEqual(['gateway', 'proxy'])
    expect(measured('gateway-streams')).toEqual(['backend', 'gateway', 'proxy'])
    expect(measured('start')).toContain('gateway-command')
  })

  test('goes through with a target that does what it should', { timeout: 60_000 }, async () => {
    const { status, told } = await lyingAs('honest')
    expect(told).toContain('Every answer was right')
    expect(status).toBe(0)
  })

  test.each([
    ['keeps_token', 'brings no new tokens'],
    ['refreshes_anything', 'a forged token is not refused'],
    ['passes_everybody', 'a call without a token is not refused'],
    ['answers_another', 'it answers another call'],
  ])('ends with a fault at one that %s', { timeout: 60_000 }, async (liar, told) => {
    const run = await lyingAs(liar)
    expect(run.told).toContain(`extra: WrongAnswer`)
    expect(run.told).toContain(told)
    expect(run.told).not.toContain('Every answer was right')
    expect(run.status).toBe(1)
  })

  test('knows its words', async () => {
    const { status, told } = await bench('--only', 'floor,nobody')
    expect(told).toContain('neither workload nor target: nobody')
    expect(status).toBe(1)
  })
})

function lyingAs(name: string) {
  const target = join(import.meta.dirname, 'liars', `${name}.js`)
  return bench('--only', 'refresh,call,floor', '--target', target)
}
