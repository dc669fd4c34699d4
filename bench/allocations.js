/**
 * What one refresh and one guarded call allocate, and what they ask of the store: figures that no other work
 * of the machine changes. `test/bench/decay.test.ts` compares them with those that `allocations.json` records;
 * `npm run build && node bench/allocations.js --record` records them anew, after a change that is worth it.
 *
 * Nothing is optimised and nothing collected meanwhile, so that every object that is made is counted.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { postRequest, startInProcess } from './in_process.js'

const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
FLAGS.push('--no-opt', '--no-maglev', '--no-sparkplug', '--no-warnings')
const [WARM_UP, REQUESTS, TIMES] = [300, 300, 5]

const MESSAGE =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}'

if (process.argv.includes('--measure')) {
  process.stdout.write(JSON.stringify(await measure()))
} else {
  const args = [...FLAGS, import.meta.filename, '--measure']
  const { stdout, status } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`it ended with ${status}`)
  const figures = `${JSON.stringify(JSON.parse(String(stdout)), null, 2)}\n`
  if (process.argv.includes('--record')) {
    writeFileSync(join(import.meta.dirname, 'allocations.json'), figures)
  }
  process.stdout.write(figures)
}

async function measure() {
  const { auth, calls, seats } = await startInProcess()
  const [{ client_id }] = seats
  let [{ access_token, refresh_token }] = seats
  return {
    refresh: await count(calls, async () => {
      const form = `grant_type=refresh_token&client_id=${client_id}&refresh_token=${refresh_token}`
      const request = postRequest('/token', 'application/x-www-form-urlencoded', form)
      const { status, body } = await auth.handle(request)
      if (status !== 200) throw new Error(`the refresh is refused: ${body}`)
      const answer = JSON.parse(body)
      access_token = answer.access_token
      refresh_token = answer.refresh_token
    }),
    call: await count(calls, async () => {
      const headers = ['Authorization', `Bearer ${access_token}`]
      const request = postRequest('/mcp', 'application/json', MESSAGE, headers)
      const { outcome } = await auth.guard(request)
      if (outcome === 'refused') throw new Error('the call is refused')
    }),
  }
}

/** Of one request, with what the harness itself allocates for it. */
async function count(calls, once) {
  for (let at = 0; at < WARM_UP; at += 1) await once()
  const figures = []
  for (let time = 0; time < TIMES; time += 1) figures.push(await allocated(once))
  calls.clear()
  for (let at = 0; at < REQUESTS; at += 1) await once()
  // A client is read once in each second of the clock, which may begin meanwhile: that is of no request.
  const verbs = [...calls].toSorted().map(([verb, times]) => [verb, Math.round(times / REQUESTS)])
  return { bytes: Math.min(...figures), store: Object.fromEntries(verbs) }
}

async function allocated(once) {
  let collections = 0
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length))
  globalThis.gc()
  await new Promise((resolve) => setTimeout(resolve, 10))
  observer.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < REQUESTS; at += 1) await once()
  const bytes = Math.round((process.memoryUsage().heapUsed - before) / REQUESTS)
  await new Promise((resolve) => setTimeout(resolve, 10))
  observer.disconnect()
  if (collections > 0) throw new Error('something was collected: the figure is too small')
  return bytes
}
