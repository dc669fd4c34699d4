/** The Worker: the OAuth routes, and the MCP endpoint behind the guard. */
import { auth } from './mcp_oauth.ts'
import { mcp } from './tools.ts'

const guarded = auth.protect((request, { authInfo }) =>
  mcp.fetch(request, authInfo === undefined ? {} : { authInfo }),
)

export default {
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/mcp') return await guarded(request)
    // Cloudflare puts the caller's address there, and nobody else can.
    const remoteAddress = request.headers.get('cf-connecting-ip') ?? undefined
    return await auth.fetch(request, { remoteAddress })
  },
}
