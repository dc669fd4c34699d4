/** Event streams: opened, held, and the delay of what comes over them. */
import { connect } from 'node:net'
import { get, postJson } from './request.js'
import { WrongAnswer } from './wrong_answer.js'

const EVENT = /data: \{"at":(\d+)\}/g

/** Opens `count` streams, done when each has had its first event. */
export async function openStreams(place, seats, count) {
  const delays = []
  const streams = []
  for (let at = 0; at < count; at += 1) {
    streams.push(await openStream(place, seats[at % seats.length], delays))
  }
  return {
    /** The delays of all events since the last call, in milliseconds. */
    take: () => delays.splice(0, delays.length),
    /** @throws WrongAnswer where a stream has ended by itself */
    close() {
      const ended = streams.filter(({ destroyed }) => destroyed).length
      for (const stream of streams) stream.destroy()
      if (ended > 0) throw new WrongAnswer(`${ended} of ${count} streams have ended`)
    },
  }
}

function openStream(place, { access_token }, delays) {
  return new Promise((resolve, reject) => {
    const socket = connect(place.port, '127.0.0.1')
    let isOpen = false
    socket.setEncoding('latin1').on('error', reject)
    socket.on('data', (text) => {
      const now = process.hrtime.bigint()
      if (!isOpen && !text.startsWith('HTTP/1.1 200')) return reject(new WrongAnswer(text))
      isOpen = true
      for (const [, at] of text.matchAll(EVENT)) {
        delays.push(Number(now - BigInt(at)) / 1e6)
        resolve(socket)
      }
    })
    const accept = 'Accept: text/event-stream\r\n'
    socket.write(get(place, place.paths.mcp, `${accept}Authorization: Bearer ${access_token}\r\n`))
  })
}

/** Reads an answer of `size` characters and keeps none of it: seconds that it took. */
export function readLarge(place, { access_token }, size) {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const socket = connect(place.port, '127.0.0.1')
    let [length, seen] = [Infinity, 0]
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      if (length === Infinity) length = wholeLength(chunk.latin1Slice(0, chunk.length))
      seen += chunk.length
      if (seen < length) return
      socket.destroy()
      if (seen === length && seen > size) resolve((performance.now() - began) / 1000)
      else reject(new WrongAnswer(`${seen} of ${length} bytes of a large answer`))
    })
    const call = `"name":"large","arguments":{"size":${size}}`
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{${call}}}`
    const headers = `Authorization: Bearer ${access_token}\r\n`
    socket.write(postJson(place, place.paths.mcp, body, headers))
  })
}

/** Of head and body. @throws WrongAnswer where the head does not say */
function wholeLength(text) {
  const border = text.indexOf('\r\n\r\n')
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, border)) ?? []
  if (length === undefined) throw new WrongAnswer(`a large answer has no length:\n${text}`)
  return border + 4 + Number(length)
}
