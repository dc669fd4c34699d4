/**
 * The config file: data in JSON, or a module whose export `config` (or default export) is the same
 * tree, where functions and things built by code may stand too.
 */
import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isGroup, type Reading } from './draft.ts'

/** The tree in the file at `path`, which is relative to the working directory. */
export async function readConfigFile(path: string): Promise<Reading> {
  const where = resolve(path)
  const extension = extname(where)
  if (!['.json', '.js', '.mjs', '.ts', '.mts'].includes(extension)) {
    return fault(`--config ${path} is not a .json, .js, .mjs or .ts file`)
  }
  try {
    const found = extension === '.json' ? await readJson(where) : await readModule(where)
    if (isGroup(found)) return { draft: found, faults: [] }
    return fault(`--config ${path} holds no object of settings; export it as \`config\``)
  } catch (error) {
    return fault(`--config ${path} cannot be read: ${reasonOf(error, extension)}`)
  }
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}

async function readModule(path: string): Promise<unknown> {
  const module: { config?: unknown; default?: unknown } = await import(pathToFileURL(path).href)
  return module.config ?? module.default
}

/** Never the error of the parser: it quotes the file, and in the file are secrets. */
function reasonOf(error: unknown, extension: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read it'
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return 'this runtime does not read TypeScript; use .mjs, or Node 22.18 or later'
  }
  if (error instanceof SyntaxError) {
    return extension === '.json' ? `it is not JSON${position(error)}` : 'it has a syntax error'
  }
  return error instanceof Error ? `it throws ${error.name}` : 'it throws'
}

function position(error: SyntaxError): string {
  const [, at] = /position (\d+)/.exec(error.message) ?? []
  return at === undefined ? '' : ` (at character ${Number(at) + 1})`
}

function fault(text: string): Reading {
  return { draft: {}, faults: [text] }
}
