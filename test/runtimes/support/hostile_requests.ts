/**
 * Requests that no client sends, byte by byte, at the door `./node`: what the runtime's own server makes of
 * them, and what is then left for us to refuse.
 */
import { connect } from 'node:net'

export type Request = (host: string, token: string) => readonly string[]

const MESSAGE = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
const JSON_TYPE = 'Content-Type: application/json'
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded'
const CHUNKED = `${MESSAGE.length.toString(16)}\r\n${MESSAGE}\r\n0\r\n\r\n`

function call(...lines: readonly string[]): readonly string[] {
  return ['POST /mcp HTTP/1.1', ...lines, JSON_TYPE, `Content-Length: ${MESSAGE.length}`, MESSAGE]
}

/** Each is its lines, the last of which is the body. */
export const HOSTILE: readonly (readonly [what: string, status: number, Request])[] = [
  ['nothing wrong', 200, (host, token) => call(host, token)],
  ['two tokens', 400, (host, token) => call(host, token, 'Authorization: Bearer x')],
  ['two tokens, the bad first', 400, (host, token) => call(host, 'Authorization: Bearer x', token)],
  ['two hosts', 400, (host, token) => call(host, 'Host: evil.test', token)],
  ['no host', 400, (_, token) => call(token)],
  [
    'another host in its target',
    400,
    (host, token) => ['POST http://evil.test/mcp HTTP/1.1', ...call(host, token).slice(1)],
  ],
  [
    'a path with dots',
    404,
    (host, token) => ['POST /a/../mcp HTTP/1.1', ...call(host, token).slice(1)],
  ],
  [
    'a path in escapes',
    404,
    (host, token) => ['POST /%6dcp HTTP/1.1', ...call(host, token).slice(1)],
  ],
  ['two lengths', 400, (host, token) => call(host, token, 'Content-Length: 5')],
  [
    'a length and chunks',
    400,
    (host, token) => [...call(host, token, 'Transfer-Encoding: chunked').slice(0, -1), CHUNKED],
  ],
  [
    'a coding that is none',
    400,
    (host, token) => [
      'POST /mcp HTTP/1.1',
      host,
      token,
      JSON_TYPE,
      'Transfer-Encoding: xchunked',
      CHUNKED,
    ],
  ],
  ['a folded line', 400, (host, token) => call(host, token.replace('Bearer', 'Bearer\r\n'))],
  ['a space before a colon', 400, (host, token) => call(host, token.replace(':', ' :'))],
  ['a compressed body', 415, (host, token) => call(host, token, 'Content-Encoding: gzip')],
  ['a large head', 431, (host) => call(host, `Authorization: Bearer ${'a'.repeat(70_000)}`)],
  [
    'a large body',
    413,
    (host, token) => ['POST /mcp HTTP/1.1', host, token, JSON_TYPE, 'Content-Length: 9000000', 'x'],
  ],
  ['another origin', 403, (host, token) => call(host, token, 'Origin: https://evil.test')],
  [
    'two origins',
    403,
    (host, token) =>
      call(host, token, host.replace('Host: ', 'Origin: http://'), 'Origin: https://evil.test'),
  ],
  [
    'two content types',
    400,
    (host) => ['POST /token HTTP/1.1', host, FORM_TYPE, JSON_TYPE, 'Content-Length: 3', 'a=b'],
  ],
]

/** The status that such a request is answered with; 0 when nothing is said. */
export function statusOf(port: number, token: string, request: Request): Promise<number> {
  const lines = request(`Host: 127.0.0.1:${port}`, `Authorization: Bearer ${token}`)
  const text = [...lines.slice(0, -1), 'Connection: close', '', lines.at(-1)].join('\r\n')
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => (said += data.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)))
    socket.write(text)
  })
}
