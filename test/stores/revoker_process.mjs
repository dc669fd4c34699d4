/**
 * A second replica on one SQLite file. For each line, a revocation request's form, it revokes and tells
 * when that was answered, in milliseconds since the epoch. With `busy` it writes all the time as well.
 * Arguments: the built package, the file, the issuer, the key, `busy` or `quiet`.
 */
import { createInterface } from 'node:readline'

const [build, file, issuer, key, load] = process.argv.slice(2)
const { createMcpOAuth } = await import(`${build}/index.js`)
const { sqlite } = await import(`${build}/sqlite.js`)
const { session } = await import(`${build}/upstream.js`)
const { sampleGrant } = await import(`${build}/testing/contract/samples.js`)

const store = sqlite(file)
const auth = createMcpOAuth({
  issuer,
  resource: `${issuer}/mcp`,
  scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
  keys: [key],
  store,
  upstream: session({
    name: 'Nobody',
    issuer,
    identify: async () => undefined,
    signInUrl: () => issuer,
  }),
})

async function write() {
  const id = `load-${process.pid}`
  await store.insert('grant', sampleGrant({ id }))
  for (let version = 1; ; version += 1) {
    await store.replace('grant', sampleGrant({ id }), version)
    await new Promise(setImmediate)
  }
}
if (load === 'busy') void write()

process.stdout.write('open\n')
for await (const form of createInterface(process.stdin)) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await auth.fetch(
    new Request(`${issuer}/revoke`, { method: 'POST', headers, body: form }),
  )
  const at = performance.timeOrigin + performance.now()
  process.stdout.write(`${JSON.stringify({ status: response.status, at })}\n`)
}
process.exit(0)
