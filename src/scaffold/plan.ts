/**
 * What `init` would write, and what it leaves to people. Pure: from the files of a project to the files of it.
 *
 * What is there already is kept, so that a plan made of what another one wrote is empty.
 */
import type { Choices } from './choices.ts'
import { environmentWrites } from './environment.ts'
import { withDependencies } from './manifest_edit.ts'
import { nextNotes, oldRoutes } from './next_app.ts'
import { nextRouteFiles, nextSpecifier } from './next_files.ts'
import { issuerIn, planModule, type PlannedModule } from './planned_module.ts'
import type { ProjectFiles } from './project.ts'
import { findAuthModule, type Recognition } from './recognise.ts'
import { compilerFault } from './specifier.ts'
import { styleOf } from './style.ts'
import { wireApp } from './wire_app.ts'

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
  const wiring = wireApp(files, recognition, module, mcpPath)
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
