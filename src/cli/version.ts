/** The version of this package. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** From the package's own manifest, which stands above wherever this was built to. */
export function version(): string {
  for (let at = import.meta.dirname; at !== dirname(at); at = dirname(at)) {
    const path = join(at, 'package.json')
    if (!existsSync(path)) continue
    const manifest: { name?: string; version?: string } = JSON.parse(readFileSync(path, 'utf8'))
    if (manifest.name === '@mcp-oauth/server') return manifest.version ?? 'unknown'
  }
  return 'unknown'
}
