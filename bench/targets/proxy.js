/** A bare reverse proxy on node:http: keep-alive connections, streams in both directions, no checks. */
import { Agent, request } from 'node:http'
import { pipeline } from 'node:stream'

export function start({ server, origin, settings: { to } }) {
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(to)
  server.on('request', (req, res) => {
    const { method, url: path, headers } = req
    const onward = request({ agent, hostname, port, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers)
      res.flushHeaders()
      pipeline(answer, res, () => {})
    })
    onward.on('error', () => res.destroy())
    res.on('close', () => onward.destroy())
    pipeline(req, onward, () => {})
  })
  const place = { paths: { mcp: '/mcp', open: '/mcp' }, resource: `${origin}/mcp` }
  return { place, seed: (count) => Array.from({ length: count }, () => ({ access_token: 'none' })) }
}
