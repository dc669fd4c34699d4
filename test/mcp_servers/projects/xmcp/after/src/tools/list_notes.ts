import type { ToolExtraArguments, ToolMetadata } from 'xmcp'
import { auth } from '../mcp_oauth'
import { readNotes } from '../notes'

export const metadata: ToolMetadata = {
  name: 'list_notes',
  description: 'Lists the notes',
}

export default async function listNotes(_: object, { authInfo }: ToolExtraArguments) {
  const caller = auth.caller(authInfo)
  const notes = await readNotes(await auth.upstreamToken(caller))
  return `${caller.extra.user.name}: ${notes}`
}
