/**
 * Sign-in put into the code of the app: by edits where the place is certain, by words where it is not.
 */
import { findCalls } from './code.ts'
import { applyEdits } from './edit.ts'
import { MIDDLEWARE } from './frameworks.ts'
import { guardedPath, isWired, middlewareByHand, openLines, wireMiddleware } from './middleware.ts'
import { nextSpecifier } from './next_files.ts'
import { isNextWired, nextByHand, openMethods, wireNext } from './next_route.ts'
import { isListenerWired, listenerByHand, wireListener } from './node_listener.ts'
import type { PlannedModule } from './planned_module.ts'
import type { ProjectFiles } from './project.ts'
import type { Recognition } from './recognise.ts'
import { readSources } from './sources.ts'
import { specifierOf } from './specifier.ts'
import { guardedRoutes, otherSpeakers, strayRoutes } from './strays.ts'
import { callsProtect, type AuthImport, type Wiring } from './wiring.ts'

const GUARDS = [...MIDDLEWARE.map(({ guard }) => guard), 'protectFastify', 'withSignIn']

export interface WiredApp {
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly left: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

/** The edits of the app's own code, unless nobody knows where they go. */
export function wireApp(
  files: ProjectFiles,
  recognition: Recognition,
  module: PlannedModule,
  mcpPath: string | undefined,
): WiredApp {
  const { place } = recognition
  const { site } = place
  const from = authImport(files, recognition, module)
  const again = openAgain(recognition, mcpPath)
  if (again !== undefined) return { files: [], left: again, notes: [] }
  if (site === undefined || mcpPath === undefined) {
    const left = isWiredSomewhere(files)
      ? besideInNext(files, recognition, undefined)
      : [byHand(recognition, from, mcpPath)]
    return { files: [], left, notes: [] }
  }
  const strays = besideInNext(files, recognition, site.path)
  const wiring = wireAt(recognition, from, mcpPath)
  if (wiring === undefined) return { files: [], left: strays, notes: [] }
  const text = applyEdits(site.code.text, wiring.edits)
  const left = wiring.left.length === 0 ? [] : [[`${site.path}:`, ...wiring.left]]
  return {
    files: [[site.path, text]],
    left: [...left, ...strays],
    notes: [...wiring.notes, ...speakerNotes(files, site.path, mcpPath), ...sessionNotes(files)],
  }
}

/** What an app in which sign-in is wired leaves open; undefined where it is not, or no path is known. */
function openAgain(
  { place }: Recognition,
  mcpPath: string | undefined,
): readonly (readonly string[])[] | undefined {
  if (place.kind !== 'middleware' || place.site === undefined) return undefined
  const { site, framework } = place
  const path = mcpPath ?? guardedPath(site, framework)
  if (path === undefined || !isWired(site, framework)) return undefined
  const lines = openLines(site, framework, path)
  return lines.length === 0 ? [] : [[`${site.path}:`, ...lines]]
}

/** Routes of Next.js that speak MCP: those without a guard, and what those with one export beside it. */
function besideInNext(
  files: ProjectFiles,
  { place }: Recognition,
  wired: string | undefined,
): readonly (readonly string[])[] {
  if (place.kind !== 'next') return []
  const open = guardedRoutes(files).flatMap(({ path, code }) => {
    const lines = openMethods(code)
    return lines.length === 0 ? [] : [[`${path}:`, ...lines]]
  })
  return [...open, ...strayRoutes(files, wired).map(strayWords)]
}

const SESSIONS = /(?:headers\[|\.get\(|\.header\()\s*['"]mcp-session-id['"]/i

/** The guard knows nothing of sessions: which of them are whose is the app's to know. */
function sessionNotes(files: ProjectFiles): readonly string[] {
  return readSources(files)
    .filter(({ code }) => SESSIONS.test(code.text))
    .map(
      ({ path }) =>
        `${path} keeps sessions by mcp-session-id: let their key have the user's auth.caller(…).extra.subject in it, or whoever learns an id gets into somebody else's`,
    )
}

function speakerNotes(files: ProjectFiles, guarded: string, mcpPath: string): readonly string[] {
  return otherSpeakers(files, guarded).map(
    (path) =>
      `${path} hands requests to MCP: what comes there by another path than ${mcpPath} has no guard`,
  )
}

function strayWords(path: string): readonly string[] {
  return [`${path} speaks MCP, too, and has no guard: wrap its handlers in auth.protect(…)`]
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
      return place.site === undefined
        ? undefined
        : wireMiddleware(place.site, place.framework, from, mcpPath)
  }
}

/** Somebody has put it where this program would not have looked. */
function isWiredSomewhere(files: ProjectFiles): boolean {
  return readSources(files).some(
    ({ code }) => GUARDS.some((name) => findCalls(code, name).length > 0) || callsProtect(code),
  )
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
