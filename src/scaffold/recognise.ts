/**
 * What a project is: framework, MCP library, language, and where in its code the MCP endpoint stands.
 *
 * What cannot be told for certain is undefined. A guess would put the guard where nobody calls.
 */

import { findCalls } from './code.ts'
import { namesIn } from './env_file.ts'
import { MIDDLEWARE, type MiddlewareFramework } from './frameworks.ts'
import { findApps, isWired, type AppSite } from './middleware.ts'
import { findNextApp, isMcpRoute, isNextRoute, routePathOf, type NextApp } from './next_app.ts'
import { findListeners, mcpPathOf, type ListenerSite } from './node_listener.ts'
import {
  packageManagerOf,
  type Manifest,
  type PackageManager,
  type ProjectFiles,
} from './project.ts'
import { findPort } from './routes.ts'
import { extensionOf, mentionsMcp, readSources, type Source } from './sources.ts'
import { storeOf, type StoreName } from './store_choice.ts'
import { upstreamOfEnvironment } from './upstream_choice.ts'

/** Where sign-in goes. */
export type Place =
  | { readonly kind: 'next'; readonly app: NextApp; readonly site: Source | undefined }
  | {
      readonly kind: 'middleware'
      readonly framework: MiddlewareFramework
      readonly site: AppSite | undefined
    }
  | { readonly kind: 'node'; readonly site: ListenerSite | undefined }

export interface Recognition {
  readonly manifest: Manifest
  readonly packageManager: PackageManager
  readonly place: Place
  readonly framework: string
  /** The package that speaks MCP. */
  readonly library: string | undefined
  readonly mcpPath: string | undefined
  readonly typescript: boolean
  readonly commonjs: boolean
  readonly onVercel: boolean
  readonly port: number
  readonly store: StoreName
  readonly upstream: string
}

const LIBRARIES = [
  'mcp-handler',
  '@vercel/mcp-adapter',
  '@hono/mcp',
  '@modelcontextprotocol/server',
  '@modelcontextprotocol/sdk',
  'fastmcp',
  'xmcp',
]
const ENVIRONMENTS = ['.env', '.env.local', '.env.example', '.env.development', '.env.sample']

/** @param entry the file in which the app is made, when somebody says so. */
export function recognise(files: ProjectFiles, manifest: Manifest, entry?: string): Recognition {
  const place = findPlace(files, manifest, entry)
  const { site } = place
  const { packages } = manifest
  const typescript = site === undefined ? isTypeScript(files) : site.path.endsWith('ts')
  const onVercel =
    files.texts.has('vercel.json') ||
    Object.keys(packages).some((name) => /^@vercel\/(?!mcp-adapter)/.test(name))
  return {
    manifest,
    packageManager: packageManagerOf(files, manifest),
    place,
    framework: titleOf(place),
    library: LIBRARIES.find((name) => packages[name] !== undefined),
    mcpPath: mcpPathOfPlace(place),
    typescript,
    commonjs: place.kind !== 'next' && isCommonJs(manifest, site, typescript),
    onVercel: onVercel && place.kind === 'next',
    port: portOf(place, manifest),
    store: storeOf({
      packages,
      onVercel: onVercel && place.kind === 'next',
      topLevelAwait: true,
    }),
    upstream: upstreamOfEnvironment(environmentNames(files)) ?? 'github',
  }
}

function findPlace(files: ProjectFiles, manifest: Manifest, entry: string | undefined): Place {
  const has = (name: string) => manifest.packages[name] !== undefined
  const app = has('next') ? findNextApp(files) : undefined
  const sources = readSources(files, entry)
  if (app !== undefined) {
    const routes = sources.filter(({ path, code }) => isNextRoute(path) && isMcpRoute(code))
    const handlers = routes.filter(({ code }) => findCalls(code, 'createMcpHandler').length > 0)
    return { kind: 'next', app, site: only(handlers) ?? only(routes) }
  }
  const found = findMiddleware(sources)
  if (found !== undefined) return found
  const listeners = sources
    .filter(({ code }) => mentionsMcp(code))
    .flatMap(({ path, code }) => findListeners(path, code))
  const known = MIDDLEWARE.find(({ name }) => has(name))
  if (listeners.length > 0 || known === undefined) return { kind: 'node', site: only(listeners) }
  return { kind: 'middleware', framework: known, site: undefined }
}

/** One app, or one that has an MCP endpoint; of several nobody can tell. */
function findMiddleware(sources: readonly Source[]): Place | undefined {
  const all = MIDDLEWARE.flatMap((framework) =>
    sources.flatMap(({ path, code }) =>
      findApps(path, code, framework).map((site) => ({ framework, site })),
    ),
  )
  const wired = all.filter(({ framework, site }) => isWired(site, framework))
  const withMcp = all.filter(({ site }) => site.mcpPath !== undefined)
  // An app that speaks of MCP and does not say where may be the one that is called.
  const inDoubt = all.some(({ site }) => site.mcpPath === undefined && mentionsMcp(site.code))
  const [first] = all
  if (first === undefined) return undefined
  const chosen = only(wired) ?? (inDoubt ? undefined : only(withMcp)) ?? only(all)
  return { kind: 'middleware', framework: chosen?.framework ?? first.framework, site: chosen?.site }
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined
}

function titleOf(place: Place): string {
  if (place.kind === 'next') return 'Next.js'
  return place.kind === 'node' ? 'node:http' : place.framework.title
}

function mcpPathOfPlace(place: Place): string | undefined {
  if (place.site === undefined) return undefined
  switch (place.kind) {
    case 'next':
      return routePathOf(place.site.path)
    case 'middleware':
      return place.site.mcpPath
    case 'node':
      return mcpPathOf(place.site)
  }
}

function isTypeScript({ texts }: ProjectFiles): boolean {
  return texts.has('tsconfig.json')
}

/** TypeScript has imports in either case; what they become is its own affair. */
function isCommonJs(
  { type }: Manifest,
  site: { readonly path: string } | undefined,
  typescript: boolean,
): boolean {
  if (typescript) return false
  const extension = site === undefined ? 'js' : extensionOf(site.path)
  return extension === 'cjs' || (extension === 'js' && type !== 'module')
}

function portOf(place: Place, { scripts }: Manifest): number {
  if (place.kind === 'next') {
    const script = `${scripts['start'] ?? ''} ${scripts['dev'] ?? ''}`
    const [, port = '3000'] = /(?:-p|--port)[ =](\d{2,5})\b/.exec(script) ?? []
    return Number(port)
  }
  return (place.site === undefined ? undefined : findPort(place.site.code)) ?? 3000
}

function environmentNames({ texts }: ProjectFiles): ReadonlySet<string> {
  return new Set(ENVIRONMENTS.flatMap((name) => [...namesIn(texts.get(name) ?? '')]))
}

/** The module that makes `auth`, when the project has one. */
export function findAuthModule(files: ProjectFiles): Source | undefined {
  const makes = ({ code }: Source) => findCalls(code, 'createMcpOAuth').length > 0
  return readSources(files).find(makes)
}
