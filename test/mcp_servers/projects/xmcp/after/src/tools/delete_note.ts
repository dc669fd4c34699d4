import type { InferSchema, ToolMetadata } from 'xmcp'
import { z } from 'zod'

export const schema = { id: z.number() }

export const metadata: ToolMetadata = {
  name: 'delete_note',
  description: 'Deletes a note',
}

export default async function deleteNote({ id }: InferSchema<typeof schema>) {
  return `deleted ${id}`
}
