/** What a call keeps in memory while its backend is at work, which may be long. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { McpOAuth } from '../../src/server/server.ts'
import { startBackend, until } from './support/backend.ts'
import { callOf, RESOURCE, startGateway } from './support/gateway.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

it('does not keep the message that was judged, only its bytes', async () => {
  let asked = false
  const backend = await startBackend((req) => req.resume().on('end', () => (asked = true)))
  const { auth, signIn, close } = await startGateway(backend.url)
  let message: WeakRef<object> | undefined
  const guard: McpOAuth['guard'] = async (...call) => {
    const guarded = await auth.guard(...call)
    if (guarded.outcome === 'passed') message = new WeakRef(guarded.message as object)
    return guarded
  }
  const backends = { [RESOURCE]: { to: backend.url } }
  const gateway = createGateway({ auth: { ...auth, guard }, keys: generateKey(), backends })
  const server = createServer((req, res) => gateway.handler(req, res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { token } = await signIn('user')
    const { port } = server.address() as AddressInfo
    // It never comes: the call is broken off.
    const answer = fetch(`http://127.0.0.1:${port}/mcp`, callOf(token)).catch(String)
    await until(() => asked)
    expect(message).toBeInstanceOf(WeakRef)
    await turn()
    collect()
    expect(message?.deref()).toBeUndefined()
    await gateway.close(0)
    expect(await answer).toContain('fetch failed')
  } finally {
    server.closeAllConnections()
    server.close()
    await close()
    await backend.close()
  }
})
