/**
 * One keep-alive connection of the load, straight on a socket: one request under way, no pipelining.
 *
 * It reads no more of HTTP than the servers here write. A `fetch` or a `node:http` client would cost more
 * than most of the servers that it is to measure. Everything is ASCII, so characters are bytes.
 */
import { connect } from 'node:net'

const END = '\r\n\r\n'

/** Opens it; `onAnswer` gets `{ status, head, body }` of each request, `onEnd` an Error when it breaks. */
export function openConnection(port, onAnswer, onEnd) {
  let pending = ''
  let isOver = false
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    // One buffer for every read: none is made, and none is left to be collected.
    onread: { buffer: Buffer.allocUnsafe(64 * 1024), callback: read },
  })
  socket.on('error', end)
  socket.on('close', () => end(new Error('the server closed the connection')))

  function read(length, buffer) {
    pending += buffer.latin1Slice(0, length)
    const answer = readAnswer(pending)
    if (answer === undefined) return true
    pending = ''
    onAnswer(answer)
    return true
  }

  function end(error) {
    if (!isOver) onEnd(error)
    isOver = true
  }

  return {
    send: (text) => socket.write(text, 'latin1'),
    close() {
      isOver = true
      socket.destroy()
    },
  }
}

/** The answer once all of it is there; undefined before. @throws Error for what is none */
export function readAnswer(text) {
  const border = text.indexOf(END)
  if (border < 0) return undefined
  const head = text.slice(0, border)
  const status = Number(head.slice(9, 12))
  const rest = border + END.length
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (length !== undefined) return whole(text, { status, head }, rest, rest + Number(length))
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return readChunks(text, { status, head }, rest)
  if (status === 204 || status === 304) return whole(text, { status, head }, rest, rest)
  throw new Error(`an answer without a length: ${head}`)
}

function whole(text, { status, head }, from, to) {
  if (text.length < to) return undefined
  if (text.length > to) throw new Error(`more than one answer: ${text.slice(to, to + 200)}`)
  return { status, head, body: text.slice(from, to) }
}

/** RFC 9112 §7.1, without extensions and trailers. */
function readChunks(text, answer, from) {
  let body = ''
  for (let at = from; ;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const next = line + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) return { ...answer, body }
    body += text.slice(line + 2, next - 2)
    at = next
  }
}
