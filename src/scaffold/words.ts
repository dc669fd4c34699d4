/**
 * What `init` says: what it found, and in the end the next things to do.
 */
import type { Plan } from './plan.ts'
import type { PackageManager } from './project.ts'
import type { Recognition } from './recognise.ts'
import type { UpstreamChoice } from './upstream_choice.ts'

/** What the project was taken for. */
export function foundWords({
  framework,
  library,
  place,
  mcpPath,
  typescript,
}: Recognition): string {
  const language = typescript ? 'TypeScript' : 'JavaScript'
  const where = place.site === undefined ? '' : ` in ${place.site.path}`
  const path =
    mcpPath === undefined ? 'no MCP endpoint that is certain' : `the MCP endpoint ${mcpPath}`
  const speaks = library === undefined ? '' : ` with ${library}`
  return `Found ${framework}${speaks}, ${language}: ${path}${where}.`
}

/** The next three things to do. */
export function nextWords(
  plan: Plan,
  { packageManager, manifest, place }: Recognition,
  upstream: UpstreamChoice,
): readonly string[] {
  const { issuer, resource, environmentFile } = plan
  const name = (manifest.name ?? 'my-server').replace(/^@[^/]*\//, '').replace(/[^\w-]/g, '-')
  const install = plan.addsPackages ? `${installWords(packageManager)}, then ` : ''
  const start = startWords(packageManager, manifest.scripts, place.kind === 'next')
  const register =
    upstream.registerAt === undefined
      ? `Say in ${plan.module} who is signed in at your app.`
      : `Register the callback URL ${issuer}/callback at ${upstream.registerAt}`
  const secrets =
    upstream.registerAt === undefined
      ? `Look into ${environmentFile}: it holds the settings and their key.`
      : `Put the client's id and secret into ${environmentFile}: ${upstream.variables.map((one) => one.name).join(', ')}`
  return [
    `1. ${register}`,
    `2. ${secrets}`,
    `3. ${install}${start}, and connect a client: claude mcp add --transport http ${name} ${resource}`,
    `In production set MCP_OAUTH_ISSUER to the public URL, as ${issuer.replace(/^http:\/\/localhost(?::\d+)?/, 'https://mcp.example.com')}, and MCP_OAUTH_KEYS to a key of its own: npx mcp-oauth keys generate`,
  ]
}

function installWords(manager: PackageManager): string {
  return `${manager} install`
}

function startWords(
  manager: PackageManager,
  scripts: Readonly<{ [name: string]: string }>,
  isNext: boolean,
): string {
  const script = ['dev', 'start'].find((one) => scripts[one] !== undefined)
  const builds = scripts['build'] !== undefined && scripts['prestart'] === undefined
  if (script === 'start' && builds && !scripts['start']?.includes('build')) {
    return `${manager} run build && ${manager} start`
  }
  if (script === undefined) return isNext ? 'npx next dev' : 'start the server'
  return script === 'start' ? `${manager} start` : `${manager} run ${script}`
}
