import { createMcpHandler } from 'mcp-handler'
import { z } from 'zod'

const handler = createMcpHandler(
  (server) => {
    server.registerTool('whoami', { description: 'Who calls' }, async ({ http }) => ({
      content: [{ type: 'text', text: JSON.stringify(http?.authInfo?.extra ?? 'nobody') }],
    }))
    server.registerTool(
      'roll_dice',
      {
        title: 'Roll Dice',
        description: 'Roll a dice with a specified number of sides.',
        inputSchema: z.object({ sides: z.number().int().min(2) }),
      },
      async ({ sides }) => {
        const value = 1 + Math.floor(Math.random() * sides)
        return { content: [{ type: 'text', text: `You rolled a ${value}!` }] }
      },
    )
  },
  { serverInfo: { name: 'notes', version: '1.0.0' } },
)

export { handler as GET, handler as POST }
