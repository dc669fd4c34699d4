/**
 * How a file names another one in an import: with the ending that the project uses.
 */
import type { Code } from './code.ts'
import { findImports } from './imports.ts'
import { compilerOption, type Manifest, type ProjectFiles } from './project.ts'
import { extensionOf, folderOf } from './sources.ts'

/** From the file at `from` to the module at `to`. */
export function specifierOf(
  files: ProjectFiles,
  { scripts }: Manifest,
  from: { readonly path: string; readonly code: Code | undefined },
  to: string,
): string {
  const ending = endingOf(files, scripts, from.code, extensionOf(to))
  const bare = to.replace(/\.[cm]?[jt]s$/, '')
  return `${relative(folderOf(from.path), bare)}${ending}`
}

function relative(from: string, to: string): string {
  const [here, there] = [from.split('/').slice(0, -1), to.split('/')]
  let common = 0
  while (common < here.length && here[common] === there[common]) common += 1
  const up = here.slice(common).map(() => '..')
  return [...(up.length === 0 ? ['.'] : up), ...there.slice(common)].join('/')
}

function endingOf(
  files: ProjectFiles,
  scripts: Manifest['scripts'],
  code: Code | undefined,
  extension: string,
): string {
  if (!extension.endsWith('ts')) return `.${extension}`
  const compiled = `.${extension.replace('t', 'j')}`
  const used = (code === undefined ? [] : findImports(code))
    .map(({ module }) => module)
    .filter((module) => /^\.\.?\//.test(module))
  if (used.some((module) => /\.[cm]?ts$/.test(module))) return `.${extension}`
  if (used.some((module) => /\.[cm]?js$/.test(module))) return compiled
  if (used.length > 0) return ''
  const isRunAsIs = /\bnode\b[^&|;]*\.[cm]?ts\b/.test(
    `${scripts['start'] ?? ''} ${scripts['dev'] ?? ''}`,
  )
  const allowed = ['allowImportingTsExtensions', 'rewriteRelativeImportExtensions'].some(
    (name) => compilerOption(files, name) === 'true',
  )
  if (isRunAsIs || allowed) return `.${extension}`
  return /^node(?:10)?$/i.test(compilerOption(files, 'moduleResolution') ?? '') ? '' : compiled
}

/**
 * What keeps TypeScript from finding this package, which is one of ES modules with several entries.
 * Undefined where nothing does, or it cannot be told.
 */
export function compilerFault(
  files: ProjectFiles,
  { type, packages }: Manifest,
): string | undefined {
  if (!files.texts.has('tsconfig.json')) return undefined
  const resolution = compilerOption(files, 'moduleResolution')
  if (/^(?:node|node10|classic)$/i.test(resolution ?? '')) {
    return `tsconfig.json: "moduleResolution": "${resolution}" does not see the entries of packages; set "nodenext", or "bundler"`
  }
  if (resolution !== undefined) return undefined
  const module = compilerOption(files, 'module')?.toLowerCase() ?? ''
  // Before version 6 it follows `module`, unless another file says otherwise.
  const isOld = /^[\^~]?[1-5]\./.test(packages['typescript'] ?? '')
  if (isOld && OLD_MODULE.test(module) && compilerOption(files, 'extends') === undefined) {
    return `tsconfig.json: with "module": "${module}" TypeScript before 6 does not see the entries of packages; set "nodenext", with TypeScript 5.8 or later`
  }
  return module === 'node16' && type !== 'module'
    ? 'tsconfig.json: with "module": "node16" a file of CommonJS cannot import ES modules; set "nodenext"'
    : undefined
}

const OLD_MODULE = /^(?:commonjs|amd|umd|system|es\w+)$/
