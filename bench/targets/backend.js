/**
 * The MCP server behind the gateway: it knows nothing of tokens. `echo` is the tool of the other targets,
 * `large` answers with as many characters as it is told, GET opens a stream of events that say when each
 * was sent.
 */
import { answerOf, readText, writeJson } from './tool.js'

const PIECE = 'x'.repeat(64 * 1024)
/** Milliseconds between two events of a stream. */
const PACE = 100

export function start({ server, origin }) {
  server.on('request', (req, res) => {
    if (req.method === 'GET') return stream(res)
    readText(req).then(
      (text) => answer(JSON.parse(text), res),
      () => res.destroy(),
    )
  })
  const place = { paths: { mcp: '/mcp', open: '/mcp' }, resource: `${origin}/mcp` }
  return { place, seed: (count) => Array.from({ length: count }, () => ({ access_token: 'none' })) }
}

function answer(message, res) {
  const { name, arguments: given } = message.params
  if (name === 'large') return writeLarge(message.id, given.size, res)
  writeJson(res, answerOf({ ...message, params: { arguments: { text: given.text.slice(0, 5) } } }))
}

/** In pieces, each written when the one before has left. */
async function writeLarge(id, size, res) {
  const begin = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`
  const end = '"}]}}'
  const length = begin.length + size + end.length
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': length }).write(begin)
  for (let left = size; left > 0 && !res.destroyed; left -= PIECE.length) {
    const isTaken = res.write(left < PIECE.length ? PIECE.slice(0, left) : PIECE)
    if (!isTaken) await new Promise((resolve) => res.once('drain', resolve).once('close', resolve))
  }
  res.end(end)
}

/** The clock is the system's monotonic one, which all its processes share. */
function stream(res) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const send = () => res.write(`data: {"at":${process.hrtime.bigint()}}\n\n`)
  send()
  const timer = setInterval(send, PACE)
  res.on('close', () => clearInterval(timer))
}
