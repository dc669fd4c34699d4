import { auth, EDITION } from '@/lib/mcp_oauth'

const guarded = auth.protect((_request, { authInfo }) =>
  Response.json({
    jsonrpc: '2.0',
    id: 1,
    result: { edition: EDITION, user: authInfo?.extra.user.sub, process: process.pid },
  }),
)
export { guarded as DELETE, guarded as GET, guarded as OPTIONS, guarded as POST }
