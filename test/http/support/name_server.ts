/** A name server on 127.0.0.1 for the tests of resolve_host: RFC 1035 §4, one question a message. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { afterEach, vi } from 'vitest'

/** What it says: addresses as bytes, or a response code (2 failure, 3 no such name), or nothing at all. */
export type Zone = (type: 'A' | 'AAAA') => readonly (readonly number[])[] | 2 | 3 | undefined

const resolve4: (this: Resolver, host: string) => Promise<string[]> = Resolver.prototype.resolve4
const running: (() => void)[] = []
afterEach(() => {
  for (const stop of running.splice(0)) stop()
})

/** Has every `Resolver` ask a server that answers from `zone`, until the test ends. Gives the questions. */
export async function nameServer(zone: Zone): Promise<readonly string[]> {
  const { server, questions } = await startNameServer(zone)
  const spy = vi.spyOn(Resolver.prototype, 'resolve4')
  spy.mockImplementation(function (this: Resolver, host: string) {
    this.setServers([server])
    return resolve4.call(this, host)
  } as typeof Resolver.prototype.resolve4)
  running.push(() => spy.mockRestore())
  return questions
}

/** A server that answers from `zone` until the test ends: its address and port, and what it is asked. */
export async function startNameServer(
  zone: Zone,
): Promise<{ readonly server: string; readonly questions: readonly string[] }> {
  const questions: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    const type = message.readUInt16BE(message.length - 4) === 28 ? 'AAAA' : 'A'
    questions.push(`${nameOf(message)} ${type}`)
    const said = zone(type)
    if (said !== undefined) socket.send(responseTo(message, type, said), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  running.push(() => socket.close())
  return { server: `127.0.0.1:${socket.address().port}`, questions }
}

function nameOf(message: Buffer): string {
  const labels: string[] = []
  for (let at = 12; message[at] !== 0; at += 1 + (message[at] ?? 0)) {
    labels.push(message.subarray(at + 1, at + 1 + (message[at] ?? 0)).toString())
  }
  return labels.join('.').toLowerCase()
}

function responseTo(
  question: Buffer,
  type: 'A' | 'AAAA',
  said: readonly (readonly number[])[] | 2 | 3,
): Buffer {
  const records = typeof said === 'number' ? [] : said
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(0x8180 | (typeof said === 'number' ? said : 0), 2)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt16BE(0, 10)
  // Name (pointer to the question), type, class, a lifetime of one minute, length.
  const fields = [0xc0, 12, 0, type === 'A' ? 1 : 28, 0, 1, 0, 0, 0, 60, 0]
  const answers = records.map((bytes) => Buffer.from([...fields, bytes.length, ...bytes]))
  const end = question.indexOf(0, 12) + 5
  return Buffer.concat([head, question.subarray(12, end), ...answers])
}
