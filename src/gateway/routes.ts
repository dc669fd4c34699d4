/**
 * Which backend stands behind which path: an exact table, made once.
 */
import { canonicalResource } from '../protocol/resource.ts'
import type { Config } from '../server/config/context.ts'
import { createRoutes as createServerRoutes } from '../server/routes.ts'
import { createBackend, judgeBackend, TIMEOUTS, type Timeouts } from './backend.ts'
import { HEALTH_PATHS } from './health.ts'
import { IDENTITIES, type Identity } from './identity.ts'
import type { Backend } from './backend.ts'

/** What stands behind one resource. */
export interface BackendOptions {
  /** The URL of the MCP server, e.g. `http://127.0.0.1:9000/mcp`. */
  readonly to: string
  /** How it learns who calls; `none` by default. */
  readonly identity?: Identity | readonly Identity[]
  /** False lets `initialize`, `server/discover` and the lists pass without a token; true by default. */
  readonly required?: boolean
}

export type Backends = Readonly<{ [resource: string]: BackendOptions }>

/** A protected resource and what stands behind it. */
export interface Route {
  /** Canonical. */
  readonly resource: string
  readonly backend: Backend
  readonly identity: readonly Identity[]
  readonly required: boolean
}

/** The routes by path. Only what `judgeRoutes` finds no fault with may come here. */
export function createRoutes(
  backends: Backends,
  timeouts: Partial<Timeouts> = {},
): ReadonlyMap<string, Route> {
  return new Map(
    Object.entries(backends).map(([name, { to, identity, required }]) => {
      const resource = canonicalResource(name) ?? name
      const backend = createBackend(to, { ...TIMEOUTS, ...timeouts })
      const route = { resource, backend, identity: listOf(identity), required: required ?? true }
      return [new URL(resource).pathname, route]
    }),
  )
}

/** Every fault of `backends`, of which there must be one for each of `resources` (canonical). */
export function judgeRoutes(backends: Backends, resources: readonly string[]): readonly string[] {
  const named = Object.keys(backends).map((name) => canonicalResource(name) ?? name)
  const missing = resources.filter((resource) => !named.includes(resource))
  const strange = named.filter((name) => !resources.includes(name))
  const paths = named.filter((name) => URL.canParse(name)).map((name) => new URL(name).pathname)
  return [
    ...missing.map((resource) => `no backend is given for ${resource}`),
    ...strange.map((name) => `${name} has a backend but is no resource`),
    ...paths.flatMap((path, index) => judgePath(path, paths.indexOf(path) !== index)),
    ...Object.entries(backends).flatMap(([name, backend]) => judgeOne(name, backend)),
  ]
}

/** The resources that stand where the server has a route of its own: one of the two would be hidden. */
export function judgePlaces(config: Config): readonly string[] {
  const taken = createServerRoutes(config)
  return config.resources
    .filter(({ resource }) => taken.has(new URL(resource).pathname))
    .map(({ resource }) => `no resource can stand at ${resource}; sign-in needs that path`)
}

function judgePath(path: string, taken: boolean): readonly string[] {
  if (taken) return [`two resources have the path ${path}; the gateway tells them by it`]
  return HEALTH_PATHS.includes(path) || path.startsWith('/.well-known/')
    ? [`no resource can stand at ${path}; that path is the gateway's own`]
    : []
}

function judgeOne(name: string, { to, identity }: BackendOptions): readonly string[] {
  const fault = judgeBackend(to)
  const choices = listOf(identity)
  const unknown = choices.filter((choice) => !IDENTITIES.includes(choice))
  return [
    ...(fault === undefined ? [] : [`the backend (to) of ${name} ${fault}`]),
    ...unknown.map(() => `identity of ${name} must be one of ${IDENTITIES.join(', ')}`),
    ...(choices.length > 1 && choices.includes('none')
      ? [`identity of ${name} is none and something else at once`]
      : []),
  ]
}

function listOf(identity: Identity | readonly Identity[] | undefined): readonly Identity[] {
  if (identity === undefined) return ['none']
  return typeof identity === 'string' ? [identity] : identity
}
