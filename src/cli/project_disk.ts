/**
 * A project on the disk: read within bounds, and written to nowhere else.
 *
 * Links are not followed, in either direction: what a link names may lie outside the project. A file is
 * replaced as a whole, so that a write that breaks off leaves the old one.
 */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { readIndex } from '../scaffold/git_index.ts'
import type { Write } from '../scaffold/plan.ts'
import type { GitView, ProjectFiles } from '../scaffold/project.ts'

const MAX_FILES = 5000
const MAX_BYTES = 1024 * 1024
/** Of all files together, as all are held at once. */
const MAX_TOTAL = 64 * 1024 * 1024
const MAX_INDEX = 64 * 1024 * 1024
const MAX_DEPTH = 12
const CODE = /\.[cm]?[jt]s$/
const KNOWN =
  /^(?:package\.json|[jt]sconfig\.json|vercel\.json|\.gitignore|\.env(?:\.[\w.]+)?|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|bun\.lockb?|package-lock\.json|wrangler\.(?:toml|jsonc?))$/
const LOCK_FILE = /^(?:pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|package-lock\.json)$/
/** Asked only whether they are there. */
const UNREAD = /^(?:wrangler\..*|pnpm-workspace\.yaml)$/
const SKIPPED =
  /^(?:node_modules|bower_components|dist|build|out|output|coverage|vendor|tmp|temp|\.(?!well-known$).*)$/

/** Reads what is asked about: code, and the files around it at the top. */
export function readProject(root: string): ProjectFiles {
  const texts = new Map<string, string>()
  const others = new Map<string, string>()
  let total = 0
  const folders: (readonly [path: string, depth: number])[] = [['', 0]]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const [folder, depth] = next
    const entries = list(join(root, folder))
    if (folder !== '' && entries.some(({ name }) => name === 'package.json')) {
      others.set(`${folder}/package.json`, 'is of another package')
      continue
    }
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const wanted = folder === '' && KNOWN.test(entry.name)
      if (entry.isDirectory()) {
        if (wanted) others.set(path, 'is a directory')
        else if (depth < MAX_DEPTH && !SKIPPED.test(entry.name)) folders.push([path, depth + 1])
      } else if (wanted || CODE.test(entry.name)) {
        readInto(root, path, texts, others)
        total += texts.get(path)?.length ?? 0
      }
      if (total > MAX_TOTAL) {
        throw new Error('more than 64 MiB of code are here: run it in the directory of the server')
      }
      if (texts.size > MAX_FILES) {
        throw new Error(
          `more than ${MAX_FILES} files of code are here: run it in the directory of the server`,
        )
      }
    }
  }
  const git = readGit(root, [...texts.keys(), ...others.keys()])
  if (![...others.keys()].some((path) => LOCK_FILE.test(path))) {
    for (const name of lockFilesAbove(root)) others.set(name, 'is above')
  }
  return { texts, others, git }
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )
  } catch {
    return []
  }
}

function readInto(
  root: string,
  path: string,
  texts: Map<string, string>,
  others: Map<string, string>,
): void {
  const text =
    LOCK_FILE.test(path) || UNREAD.test(path) ? { why: 'is not read' } : readText(join(root, path))
  if (typeof text === 'string') texts.set(path, text)
  else others.set(path, text.why)
}

/** The text, byte for byte, or why there is none. */
function readText(path: string): string | { readonly why: string } {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) return { why: 'is a link' }
  if (!found.isFile()) return { why: 'is no file' }
  if (found.size > MAX_BYTES) return { why: 'is too large' }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(readFileSync(path))
  } catch (error) {
    return { why: error instanceof TypeError ? 'is not in UTF-8' : 'cannot be read' }
  }
}

/** From the directory of the project up to that of the repository, if it is in one. `there` are the project's files. */
function readGit(root: string, there: readonly string[]): GitView {
  const ignores: { below: string; text: string }[] = []
  for (let at = root; ; at = dirname(at)) {
    const below = relative(at, root).replaceAll(sep, '/')
    const text = readIfThere(join(at, '.gitignore'))
    if (text !== undefined) ignores.unshift({ below, text })
    const git = gitFolder(at)
    if (git !== undefined) return { tracked: trackedIn(git, below, there), ignores }
    if (at === dirname(at)) {
      return { tracked: new Set(), ignores: ignores.filter(({ below: path }) => path === '') }
    }
  }
}

/** Of a workspace, whose packages are installed together. */
function lockFilesAbove(root: string): readonly string[] {
  for (let at = root; at !== dirname(at) && gitFolder(at) === undefined;) {
    at = dirname(at)
    const found = list(at).filter(({ name }) => LOCK_FILE.test(name))
    if (found.length > 0) return found.map(({ name }) => name)
  }
  return []
}

/** `.git` of a work tree is a file that names the folder. */
function gitFolder(at: string): string | undefined {
  const path = join(at, '.git')
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isDirectory()) return path
  const [, named] = /^gitdir: (.+)$/m.exec(readIfThere(path) ?? '') ?? []
  return named === undefined ? path : resolve(at, named)
}

/** An index that is not understood may have any file that is there. */
function trackedIn(git: string, below: string, there: readonly string[]): ReadonlySet<string> {
  const path = join(git, 'index')
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return new Set()
  const isReadable = found.isFile() && found.size <= MAX_INDEX
  const all = isReadable ? readIndex(readFileSync(path)) : undefined
  if (all === undefined) return new Set(there)
  const prefix = below === '' ? '' : `${below}/`
  return new Set(
    [...all].filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length)),
  )
}

function readIfThere(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || !found.isFile() || found.size > MAX_BYTES) return undefined
  const text = readText(path)
  return typeof text === 'string' ? text : undefined
}

/** What keeps the writes from being done, each as a sentence. Nothing is written. */
export function judgeWrites(root: string, writes: readonly Write[]): readonly string[] {
  return writes.flatMap(({ path, old }) => {
    const obstacle = findObstacle(root, path)
    if (obstacle !== undefined) return [obstacle]
    const full = join(root, path)
    if (old !== undefined && readText(full) !== old)
      return [`${path} has changed meanwhile: run it again`]
    if (old === undefined && lstatSync(full, { throwIfNoEntry: false }) !== undefined) {
      return [`${path} has come meanwhile: run it again`]
    }
    return isWritable(nearest(dirname(full))) && (old === undefined || isWritable(full))
      ? []
      : [`this user may not write ${path}`]
  })
}

/** Of the path in the project, the first part that is a link, or no folder where it should be one. */
function findObstacle(root: string, path: string): string | undefined {
  const parts = path.split('/')
  if (parts.some((part) => /^\.{0,2}$/.test(part))) return `${path} is no path in the project`
  for (let end = 1; end <= parts.length; end += 1) {
    const part = parts.slice(0, end).join('/')
    const found = lstatSync(join(root, part), { throwIfNoEntry: false })
    if (found === undefined) return undefined
    if (found.isSymbolicLink()) return `${part} is a link, and is not followed`
    if (end < parts.length && !found.isDirectory()) return `${part} is no directory`
  }
  return undefined
}

function nearest(folder: string): string {
  const found = statSync(folder, { throwIfNoEntry: false })
  return found === undefined && folder !== dirname(folder) ? nearest(dirname(folder)) : folder
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Whether people keep secrets there. */
export function holdsSecrets(path: string): boolean {
  return /^\.env(?:\.local)?$/.test(path)
}

/** Writes one file. One that holds secrets is for its owner alone. @throws where it cannot */
export function writeFile(root: string, { path, old, text }: Write): void {
  const full = join(root, path)
  mkdirSync(dirname(full), { recursive: true })
  const mode =
    old === undefined ? (holdsSecrets(path) ? 0o600 : 0o666) : statSync(full).mode & 0o777
  const draft = `${full}.${process.pid}.tmp`
  const file = openSync(draft, 'wx', mode)
  try {
    // Where a disk is full `writeSync` may write a part, and say so to nobody.
    writeFileSync(file, text)
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, full)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
