import type { ToolMetadata } from 'xmcp'
import { readNotes } from '../notes'

export const metadata: ToolMetadata = {
  name: 'list_notes',
  description: 'Lists the notes',
}

export default async function listNotes() {
  return await readNotes(process.env['NOTES_TOKEN'])
}
