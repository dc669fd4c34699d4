import { toNextHandlers } from '@mcp-oauth/server/next'
import { auth } from '@/lib/mcp_oauth'

export const { GET, POST, OPTIONS } = toNextHandlers(auth, {
  // Vercel overwrites this header. Elsewhere it is what the caller says, unless a proxy of yours sets it.
  remoteAddress: ({ headers }) =>
    process.env.VERCEL === '1' ? (headers.get('x-forwarded-for') ?? undefined) : undefined,
})
