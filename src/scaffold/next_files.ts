/**
 * The catch-all routes that serve OAuth in a Next.js app, and how files there name each other.
 */
import type { NextApp } from './next_app.ts'
import type { ProjectFiles } from './project.ts'
import { inStyle, type Style } from './style.ts'

/** The two files that are always the same, by path. */
export function nextRouteFiles(
  { folder, oauthPath, basePath }: NextApp,
  shape: { readonly extension: string; readonly style: Style; readonly onVercel: boolean },
  specifierFrom: (file: string) => string,
): ReadonlyMap<string, string> {
  const options = [
    ...(basePath === '' ? [] : [`  basePath: '${basePath}',`]),
    ...(shape.onVercel
      ? [
          // Elsewhere callers write that header themselves.
          '  remoteAddress: ({ headers }) =>',
          `    process.env.VERCEL === '1' ? (headers.get('x-forwarded-for') ?? undefined) : undefined,`,
        ]
      : []),
  ]
  const given = options.length === 0 ? '' : `, {\n${options.join('\n')}\n}`
  const paths = [oauthPath.slice(1), '.well-known'].map(
    (name) => `${folder}/${name}/[...path]/route.${shape.extension}`,
  )
  return new Map(
    paths.map((path) => {
      const text = `import { toNextHandlers } from '@mcp-oauth/server/next';
import { auth } from '${specifierFrom(path)}';

export const { GET, POST, OPTIONS } = toNextHandlers(auth${given});
`
      return [path, inStyle(text, shape.style)]
    }),
  )
}

/** `@/lib/mcp_oauth`, where the project has that alias; else a path that goes up. */
export function nextSpecifier(files: ProjectFiles, from: string, module: string): string {
  const bare = module.replace(/\.[jt]s$/, '')
  const root = bare.startsWith('src/') ? 'src/' : ''
  const [, target] = /"@\/\*"\s*:\s*\[\s*"(?:\.\/)?([^"*]*)\*"/.exec(configOf(files)) ?? []
  if (target === root) return `@/${bare.slice(root.length)}`
  const up = '../'.repeat(from.split('/').length - 1 - (root === '' ? 0 : 1))
  return `${up}${bare.slice(root.length)}`
}

function configOf({ texts }: ProjectFiles): string {
  return texts.get('tsconfig.json') ?? texts.get('jsconfig.json') ?? ''
}
