/**
 * The module that makes `auth`, as it will be: the one that is there, or a new one.
 */
import { moduleText, moduleVariables, type ModuleShape } from './auth_module.ts'
import { namesReadBy } from './env_file.ts'
import { openPathsOf } from './node_listener.ts'
import type { Variable } from './part.ts'
import type { Choices } from './choices.ts'
import { stringValue, textAt, type Code } from './code.ts'
import type { ProjectFiles } from './project.ts'
import { findAuthModule, type Recognition } from './recognise.ts'
import { extensionOf, folderOf, type Source } from './sources.ts'
import { readStore, type StoreChoice } from './store_choice.ts'
import { styleOf } from './style.ts'
import { readUpstream, UNSAID, upstreamOfEnvironment } from './upstream_choice.ts'

export interface PlannedModule {
  readonly path: string
  /** The file, where it is new. */
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly variables: readonly Variable[]
  readonly issuer: string
  readonly resource: string
  readonly packages: Readonly<{ [name: string]: string }>
  readonly typePackages: Readonly<{ [name: string]: string }>
  /** Patterns for the ignore file. */
  readonly ignored: readonly string[]
  readonly left: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

const FILE_NOTE =
  'who is signed in is in a file, which takes one machine with a disk: on Vercel take --store upstash'

export function planModule(
  files: ProjectFiles,
  recognition: Recognition,
  choices: Choices,
  mcpPath: string,
): PlannedModule {
  const { place, typescript, commonjs, onVercel, manifest } = recognition
  const issuer = issuerOf(recognition, choices)
  const open =
    place.kind === 'node' && place.site !== undefined ? openPathsOf(place.site, mcpPath) : []
  const shape: ModuleShape = {
    kind:
      place.kind === 'middleware'
        ? place.framework.name === 'hono'
          ? 'hono'
          : 'plain'
        : place.kind,
    typescript,
    commonjs,
    style: styleOf(place.site?.code),
    issuer,
    resourcePath: place.kind === 'next' ? `${place.app.basePath}${mcpPath}` : mcpPath,
    openPaths: open,
  }
  const { packages } = manifest
  const topLevelAwait = place.kind !== 'next' && manifest.type === 'module'
  const store = readStore(choices.store, { packages, onVercel, topLevelAwait })
  const there = findAuthModule(files)
  if (there !== undefined) {
    const kept = keptModule(there, shape, store, place.site?.path)
    const isCertain = (choices.resourcePath ?? recognition.mcpPath) !== undefined
    return isCertain ? { ...kept, left: [...kept.left, ...otherResource(there, shape)] } : kept
  }
  const path = pathOf(files, recognition)
  const { upstream } = choices
  return {
    path,
    files: [[path, moduleText(shape, store, upstream)]],
    variables: moduleVariables(shape, [store, upstream]),
    issuer,
    resource: resourceOf(shape, issuer),
    packages: store.packages ?? {},
    typePackages: store.typePackages ?? {},
    ignored: store.ignored ?? [],
    left: upstream.left === undefined ? [] : [[`${path}: ${upstream.left}`]],
    notes: [
      ...open.map((one) => `GET ${one} needs no token; all else does`),
      ...(place.kind === 'next' && choices.store === 'sqlite' ? [FILE_NOTE] : []),
    ],
  }
}

function issuerOf({ place, port }: Recognition, choices: Choices): string {
  const path = place.kind === 'next' ? `${place.app.basePath}${place.app.oauthPath}` : ''
  if (choices.issuer !== undefined) {
    const url = new URL(choices.issuer)
    return place.kind === 'next' ? `${url.origin}${path}` : choices.issuer
  }
  return `http://localhost:${choices.port ?? port}${path}`
}

function resourceOf({ resourcePath }: ModuleShape, issuer: string): string {
  return new URL(resourcePath, issuer).href
}

/** Beside the file that needs it; of Next.js in `lib`. */
function pathOf({ texts }: ProjectFiles, { place, typescript }: Recognition): string {
  if (place.kind === 'next') {
    const root = place.app.folder.startsWith('src/') ? 'src/' : ''
    return `${root}lib/mcp_oauth.${typescript ? 'ts' : 'js'}`
  }
  if (place.site !== undefined) {
    return `${folderOf(place.site.path)}mcp_oauth.${extensionOf(place.site.path)}`
  }
  const folder = [...texts.keys()].some((path) => path.startsWith('src/')) ? 'src/' : ''
  return `${folder}mcp_oauth.${typescript ? 'ts' : 'js'}`
}

/** It is somebody's own by now: only what it needs of the environment is looked at. */
function keptModule(
  { path, code }: Source,
  shape: ModuleShape,
  store: StoreChoice,
  app: string | undefined,
): PlannedModule {
  const { text } = code
  const issuer = issuerIn(code) ?? shape.issuer
  const names = namesReadBy(code)
  const upstream = readUpstream(upstreamOfEnvironment(new Set(names)) ?? '')
  const parts = 'fault' in upstream ? [store] : [store, upstream]
  const known = new Map(moduleVariables(shape, parts).map((one) => [one.name, one]))
  const exported = code.tokens.some(
    ({ text: word }, at) =>
      word === 'auth' &&
      /^(?:const|let|var|[{,.])$/.test(textAt(code, at - 1)) &&
      isExported(code, at),
  )
  // One file may be both the app and the module.
  const isImportable = path === app || exported
  return {
    path,
    files: [],
    variables: names.map(
      (name) => known.get(name) ?? { name, local: '', example: '', about: `Read by ${path}.` },
    ),
    issuer,
    resource: resourceOf(shape, issuer),
    packages: {},
    typePackages: {},
    ignored: /\bsqlite\(['"]mcp-oauth\.db['"]/.test(text) ? (SQLITE.ignored ?? []) : [],
    left: [
      ...(isImportable ? [] : [[`${path}: export what createMcpOAuth gives, as \`auth\``]]),
      ...(text.includes(UNSAID)
        ? [[`${path}: say who is signed in, in \`identify\` of \`session\``]]
        : []),
    ],
    notes: [],
  }
}

/** In the spellings that are written here and in the documents; what else a module says is not judged. */
const RESOURCE =
  /\bresource:\s*(?:`\$\{(issuer)\}|issuer\.replace\([^\n]+?, ?['"]|new URL\(['"])(\/[^'"`$\s]*)['"`]/

/** A guard at another path than that of the resource lets nobody in. */
function otherResource({ path, code }: Source, shape: ModuleShape): PlannedModule['left'] {
  const [, below, end] = RESOURCE.exec(code.text) ?? []
  if (end === undefined) return []
  const { pathname } = new URL(issuerIn(code) ?? shape.issuer)
  const whole = below === undefined ? end : `${pathname.replace(/\/$/, '')}${end}`
  if (whole === shape.resourcePath) return []
  return [[`${path}: \`resource\` must end in ${shape.resourcePath}, where the MCP endpoint is`]]
}

const SQLITE = readStore('sqlite', { packages: {}, onVercel: false, topLevelAwait: true })

/** `export const auth`, `export { auth }`, `module.exports = { auth }`, `exports.auth`. */
function isExported(code: Code, at: number): boolean {
  const before = Array.from({ length: 12 }, (_, index) => textAt(code, at - 1 - index))
  const stop = before.findIndex((word) => /^[;}]$/.test(word))
  return before.slice(0, stop < 0 ? 12 : stop).some((word) => /^exports?$/.test(word))
}

/** The issuer that a module has where the environment names none. */
export function issuerIn({ tokens }: Code): string | undefined {
  const at = tokens.findIndex(({ text }) => text.includes('MCP_OAUTH_ISSUER'))
  if (at < 0) return undefined
  return tokens
    .slice(at + 1, at + 8)
    .map(stringValue)
    .find((value) => value !== undefined && /^https?:\/\//.test(value) && URL.canParse(value))
}
