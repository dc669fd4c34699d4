/**
 * The files of a project in which its server may be made, read as code.
 */
import { readCode, type Code } from './code.ts'
import { compilerOption, type ProjectFiles } from './project.ts'

export interface Source {
  readonly path: string
  readonly code: Code
}

const SOURCE = /\.[cm]?[jt]s$/
const NONE = /(?:\.d\.[cm]?ts|\.config\.[cm]?[jt]s|[._-](?:test|spec|stories|bench)\.[cm]?[jt]s)$/
const ASIDE = /(?:^|\/)(?:__tests__|__mocks__|tests?|e2e|fixtures|examples?|docs|public|scripts)\//

/** Those that are understood. `entry` names the only one that counts, if it is given. */
export function readSources(files: ProjectFiles, entry?: string): readonly Source[] {
  const outDir = compilerOption(files, 'outDir')?.replace(/^(?:\.\/)?(.*?)\/?$/, '$1/')
  const isBuilt = (path: string) =>
    outDir !== undefined && outDir !== './' && path.startsWith(outDir)
  const wanted = ([path]: readonly [string, string]) =>
    entry === undefined
      ? SOURCE.test(path) && !NONE.test(path) && !ASIDE.test(path) && !isBuilt(path)
      : path === entry
  return [...files.texts].filter(wanted).flatMap(([path, text]) => {
    const code = readCode(text)
    return code === undefined ? [] : [{ path, code }]
  })
}

/** Whether a file has to do with MCP at all. */
export function mentionsMcp({ text }: Code): boolean {
  return /mcp/i.test(text)
}

export function folderOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '' : path.slice(0, at + 1)
}

export function extensionOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}
