import { createMcpHandler } from 'mcp-handler'
import { z } from 'zod'
import { auth } from '@/lib/mcp_oauth'
import { askUpstream } from '@/lib/upstream'

const handler = createMcpHandler(
  (server) => {
    server.registerTool(
      'whoami',
      { description: 'Who you are, as GitHub or your identity provider says' },
      async ({ http }) => tell(await askUpstream(await auth.upstreamToken(http?.authInfo))),
    )
    server.registerTool(
      'roll_dice',
      { description: 'Rolls a die', inputSchema: z.object({ sides: z.int().min(2).max(100) }) },
      ({ sides }, { http }) => {
        const { user } = auth.caller(http?.authInfo).extra
        return tell(`${user.name ?? 'You'} rolled ${1 + Math.floor(Math.random() * sides)}`)
      },
    )
  },
  { serverInfo: { name: 'notes', version: '1.0.0' } },
)

function tell(text: string) {
  return { content: [{ type: 'text' as const, text }] }
}

const guarded = auth.protect(handler)
export { guarded as DELETE, guarded as GET, guarded as OPTIONS, guarded as POST }
