/** A target that does what it should, over maps. The others beside it tell one lie each. */
import { answerOf, readText, writeJson } from '../../../bench/targets/tool.js'

/** `lies` replace what it does. */
export function startHonest({ server, origin }, lies = {}) {
  const [access, refresh] = [new Set(), new Set()]
  let made = 0
  const own = {
    issue() {
      made += 1
      const tokens = {
        access_token: `access-${made}-token`,
        refresh_token: `refresh-${made}-token`,
      }
      access.add(tokens.access_token)
      refresh.add(tokens.refresh_token)
      return tokens
    },
    rotate: (token) => (refresh.delete(token) ? own.issue() : undefined),
    isKnown: (token) => access.has(token),
    answer: answerOf,
    ...lies,
  }
  server.on('request', (req, res) => void route(own, req, res))
  const paths = { token: '/token', mcp: '/mcp', open: '/open' }
  const seat = () => ({ client_id: 'client', ...own.issue() })
  return {
    place: { paths, resource: `${origin}/mcp` },
    seed: (count) => Array.from({ length: count }, seat),
  }
}

async function route(own, req, res) {
  const text = await readText(req)
  if (req.url === '/token') {
    const tokens = own.rotate(new URLSearchParams(text).get('refresh_token'))
    if (tokens === undefined) return writeJson(res, '{"error":"invalid_grant"}', 400)
    return writeJson(res, JSON.stringify({ ...tokens, token_type: 'Bearer' }))
  }
  const token = req.headers.authorization?.slice('Bearer '.length)
  if (req.url === '/mcp' && !own.isKnown(token)) return writeJson(res, '{}', 401)
  writeJson(res, own.answer(JSON.parse(text)))
}

export const start = startHonest
