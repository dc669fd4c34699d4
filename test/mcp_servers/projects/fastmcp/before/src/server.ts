import { FastMCP } from 'fastmcp'
import { z } from 'zod'
import { readNotes } from './notes.js'

const port = Number(process.env['PORT'] ?? 3000)

const server = new FastMCP({
  name: 'notes',
  version: '1.0.0',
})

server.addTool({
  name: 'list_notes',
  description: 'Lists the notes',
  async execute() {
    return await readNotes(process.env['NOTES_TOKEN'])
  },
})

server.addTool({
  name: 'delete_note',
  description: 'Deletes a note',
  parameters: z.object({ id: z.number() }),
  execute: async ({ id }) => `deleted ${id}`,
})

await server.start({ transportType: 'httpStream', httpStream: { port, host: '127.0.0.1' } })
