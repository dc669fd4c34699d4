/**
 * What is to be run: the settings with their defaults, and nothing opened yet.
 */
import type { Options } from '../server/config/options.ts'
import type { Store } from '../stores/store.ts'
import { createUpstream } from '../upstream/setting.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ConfigFile, ResourceSetting, UpstreamSetting } from './config_shape.ts'
import type { Environment } from './read_environment.ts'
import type { Backends } from './routes.ts'
import { readStoreSetting, STORE, type StoreSetting } from './store_setting.ts'

export const PORT = 8787
export const HOST = '127.0.0.1'

export interface Plan {
  /** The library's options without what must be opened or built first. */
  readonly options: Omit<Options, 'store' | 'upstream'>
  readonly backends: Backends
  readonly store: Store | StoreSetting
  readonly upstream: Upstream | UpstreamSetting
  readonly port: number
  readonly host: string
  readonly config: ConfigFile
}

/** Whether it has been built by code. */
export function isUpstream(upstream: Plan['upstream']): upstream is Upstream {
  return 'type' in upstream
}

/** The upstream of a plan that has been judged. */
export function openUpstream(upstream: Plan['upstream']): Upstream {
  return isUpstream(upstream)
    ? upstream
    : createUpstream({ ...upstream, name: upstream.name ?? '' })
}

/** The plan of `config`, where Upstash is found in `environment`, and what is wrong with it that neither library nor gateway can tell. */
export function createPlan(
  config: ConfigFile,
  environment: Environment = {},
): { plan: Plan; faults: readonly string[] } {
  const port = config.port ?? PORT
  const issuer = config.issuer ?? `http://localhost:${port}`
  const resources = config.resources ?? [onlyResource(config, issuer)]
  const store =
    typeof config.store === 'object'
      ? config.store
      : readStoreSetting(config.store ?? STORE, environment)
  const plan: Plan = {
    options: {
      ...libraryOptions(config),
      issuer,
      keys: config.keys ?? [],
      resources: resources.map(({ to: _, required: __, identity: ___, ...options }) => options),
    },
    backends: Object.fromEntries(
      resources.map((item) => [item.resource, backendOf(item, config)] as const),
    ),
    store: 'fault' in store ? { type: 'memory' } : store,
    upstream: typeof config.upstream === 'object' ? config.upstream : {},
    port,
    host: config.host ?? HOST,
    config,
  }
  return { plan, faults: [...judgePlan(config), ...('fault' in store ? [store.fault] : [])] }
}

/** The endpoint for clients has the path of the one behind it; a bare origin gets a path of its own. */
function onlyResource({ to = '', resource }: ConfigFile, issuer: string): ResourceSetting {
  if (resource !== undefined) return { resource, to }
  const path = URL.canParse(to) ? new URL(to).pathname : '/mcp'
  const origin = URL.canParse(issuer) ? new URL(issuer).origin : issuer
  return { resource: `${origin}${path === '/' ? '/mcp' : path}`, to }
}

function backendOf(item: ResourceSetting, { identity, required }: ConfigFile): Backends[string] {
  return {
    to: item.to,
    identity: item.identity ?? identity ?? 'none',
    required: item.required ?? required ?? true,
  }
}

/** What the library knows, under the same names: everything but the gateway's own keys. */
function libraryOptions(config: ConfigFile): Partial<Options> {
  const {
    to: _to,
    resource: _resource,
    resources: _resources,
    keys: _keys,
    store: _store,
    upstream: _upstream,
    port: _port,
    host: _host,
    identity: _identity,
    required: _required,
    timeouts: _timeouts,
    recheck: _recheck,
    callsPerUser: _callsPerUser,
    passHeaders: _passHeaders,
    drain: _drain,
    ...options
  } = config
  return options
}

function judgePlan({ to, resource, resources, upstream }: ConfigFile): readonly string[] {
  const faults: string[] = []
  if (resources !== undefined && (to !== undefined || resource !== undefined)) {
    faults.push('resources stands beside to or resource; each of resources has a `to` of its own')
  }
  if (resources === undefined && to === undefined) {
    faults.push('to is missing; name your MCP server, e.g. --to http://127.0.0.1:9000/mcp')
  }
  const named =
    typeof upstream === 'object' && (isUpstream(upstream) || upstream.name !== undefined)
  if (!named) faults.push('upstream is missing; say who signs users in, e.g. --upstream github')
  return faults
}
