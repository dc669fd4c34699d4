/**
 * What `init` would write, and what it leaves to people. Pure: from the files of a project to the files of it.
 *
 * What is there already is kept, so that a plan made of what another one wrote is empty.
 */
import type { Choices } from './choices.ts'
import { applyEdits } from './edit.ts'
import { environmentWrites } from './environment.ts'
import { middlewareByHand, isWired, wireMiddleware } from './middleware.ts'
import { withDependencies } from './manifest_edit.ts'
import { nextNotes, oldRoutes } from './next_app.ts'
import { nextRouteFiles, nextSpecifier } from './next_files.ts'
import { isNextWired, nextByHand, wireNext } from './next_route.ts'
import { isListenerWired, listenerByHand, wireListener } from './node_listener.ts'
import { issuerIn, planModule, type PlannedModule } from './planned_module.ts'
import type { ProjectFiles } from './project.ts'
import { findAuthModule, type Recognition } from './recognise.ts'
import { compilerFault, specifierOf } from './specifier.ts'
import { styleOf } from './style.ts'
import type { AuthImport, Wiring } from './wiring.ts'

export interface Write {
  readonly path: string
  /** Undefined for a new file. */
  readonly old: string | undefined
  readonly text: string
}

export interface Plan {
  /** In the order in which they are done: the code of the app comes last, and finds all that it names. */
  readonly writes: readonly Write[]
  /** What stands where a file of ours would be. */
  readonly conflicts: readonly {
    readonly path: string
    readonly why: string
    readonly text: string
  }[]
  /** What people must do themselves. */
  readonly left: readonly (readonly string[])[]
  readonly notes: readonly string[]
  readonly issuer: string
  readonly resource: string
  /** Where the module is that makes `auth`. */
  readonly module: string
  readonly environmentFile: string
  readonly addsPackages: boolean
}

type File = readonly [path: string, text: string]

export function makePlan(files: ProjectFiles, found: Recognition, choices: Choices): Plan {
  const there = findAuthModule(files)
  // The module that is there says where it serves, whatever is said now.
  const kept = there === undefined ? undefined : issuerIn(there.code)
  const recognition = withIssuer(found, kept ?? choices.issuer)
  const { place } = recognition
  const mcpPath = choices.resourcePath ?? recognition.mcpPath
  const module = planModule(files, recognition, choices, mcpPath ?? '/mcp')
  const wiring = wire(files, recognition, module, mcpPath)
  const environment = environmentWrites(files, recognition, module, choices.key)
  const routes = place.kind === 'next' ? nextRoutes(files, recognition, module) : []
  const made: readonly File[] = [...module.files, ...routes]
  const next = place.kind === 'next' ? nextWords(files, recognition, mcpPath ?? '/mcp') : NOTHING
  const fault = recognition.typescript ? compilerFault(files, recognition.manifest) : undefined
  const changed = [
    ...environment.files,
    ...manifestFile(files, recognition, module, choices.version),
    ...wiring.files,
  ]
  return {
    writes: [...made.filter(([path]) => isFree(files, path)), ...changed].flatMap((file) =>
      writeOf(files, file),
    ),
    conflicts: made.flatMap(([path, text]) => conflictOf(files, path, text)),
    left: [
      ...wiring.left,
      ...module.left,
      ...environment.left.map((line) => [line]),
      ...next.left.map((line) => [line]),
      ...(fault === undefined ? [] : [[fault]]),
    ],
    notes: [...next.notes, ...module.notes, ...wiring.notes],
    issuer: module.issuer,
    resource: module.resource,
    module: module.path,
    environmentFile: environment.path,
    addsPackages: changed.some(
      ([path, text]) => path === 'package.json' && text !== files.texts.get(path),
    ),
  }
}

/** In Next.js the path of the issuer is that of the folder which serves it. */
function withIssuer(recognition: Recognition, issuer: string | undefined): Recognition {
  const { place } = recognition
  if (place.kind !== 'next' || issuer === undefined) return recognition
  const { basePath } = place.app
  const { pathname } = new URL(issuer)
  const below = pathname.startsWith(basePath) ? pathname.slice(basePath.length) : pathname
  if (below === '' || below === '/') return recognition
  return { ...recognition, place: { ...place, app: { ...place.app, oauthPath: below } } }
}

const NOTHING = { left: [], notes: [] } as const

function isFree({ texts, others }: ProjectFiles, path: string): boolean {
  return !texts.has(path) && !others.has(path)
}

function writeOf({ texts }: ProjectFiles, [path, text]: File): readonly Write[] {
  const old = texts.get(path)
  // No file is made to be empty.
  return (old ?? '') === text ? [] : [{ path, old, text }]
}

function conflictOf(files: ProjectFiles, path: string, text: string): Plan['conflicts'] {
  const [there, why] = [files.texts.get(path), files.others.get(path)]
  if (why !== undefined) return [{ path, why, text }]
  // Ours, perhaps changed since.
  if (there === undefined || /\btoNextHandlers\(|\bcreateMcpOAuth\(/.test(there)) return []
  return [{ path, why: 'is there already, and is another file', text }]
}

/** The edits of the app's own code, unless nobody knows where they go. */
function wire(
  files: ProjectFiles,
  recognition: Recognition,
  module: PlannedModule,
  mcpPath: string | undefined,
): { readonly files: readonly File[]; readonly left: Plan['left']; readonly notes: Plan['notes'] } {
  const { place } = recognition
  const { site } = place
  const from = authImport(files, recognition, module)
  if (site === undefined || mcpPath === undefined) {
    const left = isWiredSomewhere(files) ? [] : [byHand(recognition, from, mcpPath)]
    return { files: [], left, notes: [] }
  }
  const wiring = wireAt(recognition, from, mcpPath)
  if (wiring === undefined) return { files: [], left: [], notes: [] }
  const text = applyEdits(site.code.text, wiring.edits)
  const left = wiring.left.length === 0 ? [] : [[`${site.path}:`, ...wiring.left]]
  return { files: [[site.path, text]], left, notes: wiring.notes }
}

/** Undefined where it is done. */
function wireAt({ place }: Recognition, from: AuthImport, mcpPath: string): Wiring | undefined {
  switch (place.kind) {
    case 'next':
      return place.site === undefined || isNextWired(place.site)
        ? undefined
        : wireNext(place.site, from)
    case 'node':
      return place.site === undefined || isListenerWired(place.site)
        ? undefined
        : wireListener(place.site, from)
    case 'middleware':
      return place.site === undefined || isWired(place.site, place.framework)
        ? undefined
        : wireMiddleware(place.site, place.framework, from, mcpPath)
  }
}

/** Somebody has put it where this program would not have looked. */
function isWiredSomewhere({ texts }: ProjectFiles): boolean {
  const pattern = /\b(?:protectExpress|protectHono|protectFastify\w*|protectNode|auth\.protect)\(/
  return [...texts].some(([path, text]) => /\.[cm]?[jt]s$/.test(path) && wiredIn(text, pattern))
}

function wiredIn(text: string, pattern: RegExp): boolean {
  return pattern.test(text) && !/\bfunction withSignIn\b/.test(text)
}

function byHand(
  { place }: Recognition,
  from: AuthImport,
  mcpPath: string | undefined,
): readonly string[] {
  const path = mcpPath ?? '/mcp'
  const why =
    place.site === undefined
      ? 'The code that makes the app was not found for certain (--entry <file> names it):'
      : `${place.site.path}: the path of the MCP endpoint was not found for certain (--resource-path <path> names it):`
  switch (place.kind) {
    case 'next':
      return [why, ...nextByHand(from)]
    case 'node':
      return [why, ...listenerByHand(from)]
    case 'middleware':
      return [why, ...middlewareByHand(place.framework, from, path)]
  }
}

function authImport(
  files: ProjectFiles,
  { place, manifest, commonjs }: Recognition,
  module: PlannedModule,
): AuthImport {
  const from = { path: place.site?.path ?? module.path, code: place.site?.code }
  const specifier =
    place.kind === 'next'
      ? nextSpecifier(files, from.path, module.path)
      : specifierOf(files, manifest, from, module.path)
  return { specifier, commonjs }
}

function nextRoutes(
  files: ProjectFiles,
  { place, typescript, onVercel }: Recognition,
  module: PlannedModule,
): readonly File[] {
  if (place.kind !== 'next') return []
  const shape = { extension: typescript ? 'ts' : 'js', style: styleOf(place.site?.code), onVercel }
  return [...nextRouteFiles(place.app, shape, (path) => nextSpecifier(files, path, module.path))]
}

function nextWords(
  files: ProjectFiles,
  { place }: Recognition,
  mcpPath: string,
): { readonly left: readonly string[]; readonly notes: readonly string[] } {
  if (place.kind !== 'next') return NOTHING
  const { left, notes } = nextNotes(files, place.app, mcpPath)
  const { inTheWay, idle } = oldRoutes(files, place.app)
  return {
    left: [...left, ...inTheWay.map((path) => `${path} answers in place of sign-in: delete it`)],
    notes: [
      ...notes,
      ...idle.map((path) => `${path} can go, if it was the sign-in of this server until now`),
    ],
  }
}

function manifestFile(
  { texts }: ProjectFiles,
  { manifest, typescript }: Recognition,
  { packages, typePackages }: PlannedModule,
  version: string,
): readonly File[] {
  const text = texts.get('package.json')
  if (text === undefined) return []
  const missing = (wanted: Readonly<{ [name: string]: string }>) =>
    Object.fromEntries(
      Object.entries(wanted).filter(([name]) => manifest.packages[name] === undefined),
    )
  const own = { '@mcp-oauth/server': `^${version}`, ...packages }
  const withOwn = withDependencies(text, 'dependencies', missing(own))
  const types = typescript ? missing(typePackages) : {}
  return [['package.json', withDependencies(withOwn, 'devDependencies', types)]]
}
