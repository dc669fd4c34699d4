/**
 * Everything that is wrong with a plan, told at once. Nothing is opened, written or asked for.
 */
import { canonicalResource } from '../protocol/resource.ts'
import { judgeOptions, OptionsError } from '../server/config/judge.ts'
import { memory } from '../stores/memory.ts'
import { judgeUpstream, presetNames } from '../upstream/setting.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { judgeGateway } from './gateway.ts'
import { isUpstream, type Plan } from './plan.ts'
import { judgePlaces } from './routes.ts'
import { suggest } from '../server/config/suggest.ts'

/** Where the real one is judged by itself. */
const ANY_UPSTREAM: Upstream = {
  type: 'session',
  id: 'any',
  name: 'any',
  identify: () => Promise.resolve(undefined),
  signInUrl: (return_to) => return_to,
}

/** Every fault, a sentence each that begins with the setting. */
export function judge(plan: Plan): readonly string[] {
  return [...judgeLibrary(plan), ...judgeBackends(plan), ...judgeNamed(plan.upstream)]
}

function judgeLibrary({ options, upstream }: Plan): readonly string[] {
  const parts = { store: memory(), upstream: isUpstream(upstream) ? upstream : ANY_UPSTREAM }
  try {
    return judgePlaces(judgeOptions({ ...options, ...parts }).config)
  } catch (error) {
    if (error instanceof OptionsError) return error.faults
    throw error
  }
}

/** One without `to` is told of before. */
function judgeBackends({ options, backends, upstream, config }: Plan): readonly string[] {
  const given = Object.entries(backends).filter(([, { to }]) => to !== '')
  const resources = given.map(([name]) => ({ resource: canonicalResource(name) ?? name }))
  const faults = judgeGateway({
    auth: { config: { resources } },
    keys: options.keys,
    backends: Object.fromEntries(given),
    ...(config.passHeaders !== undefined && { passHeaders: config.passHeaders }),
  })
  const wantsToken = given.some(([, { identity }]) => [identity].flat().includes('upstream_token'))
  return wantsToken && isUpstream(upstream) && upstream.type === 'session'
    ? [...faults, "identity: users of the app's own login have no upstream_token to be passed on"]
    : faults
}

function judgeNamed(upstream: Plan['upstream']): readonly string[] {
  if (isUpstream(upstream) || upstream.name === undefined) return []
  const { name } = upstream
  return judgeUpstream({ ...upstream, name }).map(
    (fault) => `upstream.${fault}${mend(fault, name)}`,
  )
}

function mend(fault: string, name: string): string {
  if (fault.startsWith('name must be one of')) return suggest(name, presetNames)
  if (fault.startsWith('client_id is missing')) return '; set MCP_OAUTH_UPSTREAM_CLIENT_ID'
  return fault.startsWith('client_secret is missing')
    ? '; set MCP_OAUTH_UPSTREAM_CLIENT_SECRET'
    : ''
}
