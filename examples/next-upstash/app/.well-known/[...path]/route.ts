import { toNextHandlers } from '@mcp-oauth/server/next'
import { auth } from '@/lib/mcp_oauth'

export const { GET, POST, OPTIONS } = toNextHandlers(auth)
