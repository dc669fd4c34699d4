/**
 * A project as `init` sees it: the texts of its files, and what its manifest says.
 */
import { readCode, stringValue } from './code.ts'

/** Paths are those in the project, with slashes. */
export interface ProjectFiles {
  /** The text of each file that was read. */
  readonly texts: ReadonlyMap<string, string>
  /** What is there and was not read, with the reason: `is a link`. */
  readonly others: ReadonlyMap<string, string>
  readonly git: GitView
}

/** What git would do with files, as far as it is told by its index and the ignore files. */
export interface GitView {
  readonly tracked: ReadonlySet<string>
  /** Ignore files, outermost first. `below` is the project's path from there, empty for its own. */
  readonly ignores: readonly { readonly below: string; readonly text: string }[]
}

/** As much of a `package.json` as is used here. */
export interface Manifest {
  readonly name?: string
  readonly type?: string
  readonly scripts: Readonly<{ [name: string]: string }>
  /** Of all kinds, with their ranges. */
  readonly packages: Readonly<{ [name: string]: string }>
  readonly workspaces: boolean
  /** As Corepack has it, `pnpm@10.1.0`. */
  readonly packageManager?: string
}

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun'

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
]

/** Undefined where it is no JSON object. */
export function readManifest(text: string): Manifest | undefined {
  const json = parseObject(text.replace(/^\uFEFF/, ''))
  if (json === undefined) return undefined
  const { name, type, packageManager } = json
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof type === 'string' && { type }),
    ...(typeof packageManager === 'string' && { packageManager }),
    scripts: textsOf(json['scripts']),
    packages: {
      ...textsOf(json['peerDependencies']),
      ...textsOf(json['devDependencies']),
      ...textsOf(json['dependencies']),
    },
    workspaces: json['workspaces'] !== undefined,
  }
}

function parseObject(text: string): Readonly<{ [name: string]: unknown }> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function textsOf(value: unknown): Readonly<{ [name: string]: string }> {
  if (!isObject(value)) return {}
  const texts = Object.entries(value).filter(([, text]) => typeof text === 'string')
  return Object.fromEntries(texts) as { [name: string]: string }
}

function isObject(value: unknown): value is Readonly<{ [name: string]: unknown }> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function packageManagerOf(files: ProjectFiles, manifest: Manifest): PackageManager {
  const named = LOCK_FILES.find(([, name]) => manifest.packageManager?.startsWith(`${name}@`))
  const found = LOCK_FILES.find(([name]) => files.texts.has(name) || files.others.has(name))
  return (named ?? found)?.[1] ?? 'npm'
}

/** A setting of the compiler's, as it is written in a file that may have comments. */
export function compilerOption(files: ProjectFiles, name: string): string | undefined {
  const code = readCode(files.texts.get('tsconfig.json') ?? '')
  const at = code?.tokens.findIndex((token) => stringValue(token) === name) ?? -1
  const value = code?.tokens[at + 2]
  return at < 0 || value === undefined ? undefined : (stringValue(value) ?? value.text)
}
