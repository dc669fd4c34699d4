import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from './support.ts'

const server = createServer((socket) => socket.destroy())
let port: number

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
})

/** Asks as the demo does, whose scripts are plain JavaScript, in a process that must end by itself. */
async function reaches(hosts: readonly string[], at: number): Promise<string> {
  const code = `
    import { reachesOutside } from './scripts/demo_outside.js'
    const lookUp = async (host) => {
      if (host.endsWith('.invalid')) throw new Error('no such name')
      if (host.startsWith('silent')) await new Promise(() => {})
      return '127.0.0.1'
    }
    console.log(await reachesOutside(${JSON.stringify(hosts)}, ${at}, lookUp))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT })
  return (await text(child.stdout)).trim()
}

describe('whether documents of clients can be had', () => {
  it.each([
    ['two that answer', ['one.example', 'two.example'], 'true'],
    ['one of two without a name', ['one.example', 'two.invalid'], 'false'],
    ['one of two whose name server keeps silent', ['one.example', 'silent.example'], 'false'],
  ])('%s', async (_, hosts, answer) => {
    expect(await reaches(hosts, port)).toBe(answer)
  })

  it('a port where nobody listens', async () => {
    expect(await reaches(['one.example'], 1)).toBe('false')
  })
})
