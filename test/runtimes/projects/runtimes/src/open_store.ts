/** The store that `STORE` names: `memory`, `upstash`, or the path of a SQLite file. */
import type { Store } from '@mcp-oauth/server'
import { memory } from '@mcp-oauth/server/stores/memory'
import { sqlite } from '@mcp-oauth/server/stores/sqlite'
import { upstashFromEnvironment } from '@mcp-oauth/server/stores/upstash'

export function openStore(environment: { readonly [name: string]: string | undefined }): Store {
  const { STORE: place = 'memory' } = environment
  if (place === 'memory') return memory()
  return place === 'upstash' ? upstashFromEnvironment(environment) : sqlite(place)
}
