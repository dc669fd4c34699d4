import { toNextHandlers } from '@mcp-oauth/server/next'
import { auth } from '@/lib/mcp_oauth'

const { BASE_PATH: basePath = '' } = process.env
export const { GET, POST, OPTIONS } = toNextHandlers(auth, { basePath })
