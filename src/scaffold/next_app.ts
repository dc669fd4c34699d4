/**
 * The App Router of a Next.js project: where its routes are, and what of it sign-in must know of.
 */
import { stringValue, type Code } from './code.ts'
import type { ProjectFiles } from './project.ts'

const ROUTE = /^((?:src\/)?app)\/(.*\/)?route\.(?:[cm]?[jt]s)$/
const LEGACY = /^(?:api\/)?(?:oauth\/)?(?:authorize|callback|token|register)$/

export interface NextApp {
  /** `app` or `src/app`. */
  readonly folder: string
  /** Where the OAuth routes go. */
  readonly oauthPath: string
  readonly basePath: string
}

/** The App Router of a project; undefined where it has none. */
export function findNextApp(files: ProjectFiles): NextApp | undefined {
  const paths = [...files.texts.keys(), ...files.others.keys()]
  const folder = ['app', 'src/app'].find((one) => paths.some((path) => path.startsWith(`${one}/`)))
  if (folder === undefined) return undefined
  const isFree = (name: string) =>
    paths.every(
      (path) => !path.startsWith(`${folder}/${name}/`) || path.includes('/[...path]/route.'),
    )
  return {
    folder,
    oauthPath: isFree('oauth') ? '/oauth' : '/mcp-oauth',
    basePath: basePathOf(files),
  }
}

/** The path of a route's file: groups do not count, and a transport of mcp-handler 1.x is `mcp`. */
export function routePathOf(file: string): string | undefined {
  const [, , below = ''] = ROUTE.exec(file) ?? []
  const parts = below
    .split('/')
    .filter((part) => part !== '' && !/^\(.*\)$|^@/.test(part))
    .map((part) => (part === '[transport]' ? 'mcp' : part))
  return parts.some((part) => /[[\]()]/.test(part)) ? undefined : `/${parts.join('/')}`
}

export function isNextRoute(file: string): boolean {
  return ROUTE.test(file)
}

/** Whether a route's file has to do with MCP. */
export function isMcpRoute(code: Code): boolean {
  return code.tokens.some(({ kind, text }) =>
    kind === 'string'
      ? /mcp-handler|mcp-adapter|@modelcontextprotocol\/(?!client|sdk\/client)/.test(text)
      : /^createMcpHandler$/.test(text),
  )
}

/** What answers in place of ours, or is no longer needed, from the routes that are there. */
export function oldRoutes(
  files: ProjectFiles,
  { folder, oauthPath }: NextApp,
): {
  readonly inTheWay: readonly string[]
  readonly idle: readonly string[]
} {
  const routes = [...files.texts.keys()]
    .filter(isNextRoute)
    .filter((path) => path.startsWith(`${folder}/`))
  const inTheWay = routes.filter((path) => {
    const below = path.slice(folder.length)
    return below.startsWith('/.well-known/oauth-')
  })
  const idle = routes.filter((path) => {
    const [, , below = ''] = ROUTE.exec(path) ?? []
    return !path.startsWith(`${folder}${oauthPath}/`) && LEGACY.test(below.replace(/\/$/, ''))
  })
  return { inTheWay, idle }
}

/** What Next is configured to do that sign-in must know of. */
export function nextNotes(
  files: ProjectFiles,
  { basePath, oauthPath }: NextApp,
  mcpPath: string,
): {
  readonly left: readonly string[]
  readonly notes: readonly string[]
} {
  const config = nextConfig(files)
  const proxy = ['middleware', 'proxy', 'src/middleware', 'src/proxy'].find((name) =>
    ['ts', 'js', 'mts', 'mjs'].some((extension) => files.texts.has(`${name}.${extension}`)),
  )
  const left = [
    ...(basePath === ''
      ? []
      : [
          `next.config: with basePath ${basePath} the root's /.well-known must be rewritten to the app: node_modules/@mcp-oauth/server/skills/mcp-oauth/references/next.md says how`,
        ]),
    ...(/\btrailingSlash\s*:\s*true/.test(config) && !config.includes('skipTrailingSlashRedirect')
      ? [
          'next.config: with trailingSlash set skipTrailingSlashRedirect: true, as not every client follows a redirect with a POST',
        ]
      : []),
  ]
  const notes =
    proxy === undefined
      ? []
      : [
          `${proxy} sees every request: its matcher must leave out ${oauthPath}/, /.well-known/ and ${mcpPath}`,
        ]
  return { left, notes }
}

function nextConfig(files: ProjectFiles): string {
  const names = ['ts', 'mjs', 'js', 'mts'].map((extension) => `next.config.${extension}`)
  return names.map((name) => files.texts.get(name)).find((text) => text !== undefined) ?? ''
}

function basePathOf(files: ProjectFiles): string {
  const [, quoted = ''] = /\bbasePath\s*:\s*(['"]\/[\w./-]*['"])/.exec(nextConfig(files)) ?? []
  return stringValue({ kind: 'string', text: quoted, start: 0, end: 0 })?.replace(/\/$/, '') ?? ''
}
