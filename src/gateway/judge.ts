/**
 * Everything that is wrong with a plan, told at once. Nothing is opened, written or asked for.
 */
import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { canonicalResource } from '../protocol/resource.ts'
import { judgeOptions, OptionsError } from '../server/config/judge.ts'
import { memory } from '../stores/memory.ts'
import { judgeUpstream } from '../upstream/create.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { judgeGateway } from './gateway.ts'
import { isUpstream, type Plan } from './plan.ts'

/** Where the real one is judged by itself. */
const ANY_UPSTREAM: Upstream = {
  type: 'session',
  id: 'any',
  name: 'any',
  identify: () => Promise.resolve(undefined),
  signInUrl: (return_to) => return_to,
}

/** Every fault, a sentence each that begins with the setting. */
export async function judge(plan: Plan): Promise<readonly string[]> {
  const upstream = isUpstream(plan.upstream) ? plan.upstream : ANY_UPSTREAM
  return [
    ...judgeLibrary(plan, upstream),
    ...judgeBackends(plan),
    ...(upstream === ANY_UPSTREAM ? judgeNamed(plan.upstream) : []),
    ...(await judgeStore(plan.store)),
  ]
}

function judgeLibrary({ options }: Plan, upstream: Upstream): readonly string[] {
  try {
    judgeOptions({ ...options, store: memory(), upstream })
    return []
  } catch (error) {
    if (error instanceof OptionsError) return error.faults
    throw error
  }
}

/** One without `to` is told of before. */
function judgeBackends({ options, backends, config }: Plan): readonly string[] {
  const given = Object.entries(backends).filter(([, { to }]) => to !== '')
  const resources = given.map(([name]) => ({ resource: canonicalResource(name) ?? name }))
  return judgeGateway({
    auth: { config: { resources } },
    keys: options.keys,
    backends: Object.fromEntries(given),
    ...(config.passHeaders !== undefined && { passHeaders: config.passHeaders }),
  })
}

function judgeNamed(upstream: Plan['upstream']): readonly string[] {
  if (isUpstream(upstream) || upstream.name === undefined) return []
  return judgeUpstream({ ...upstream, name: upstream.name })
}

/** Whether SQLite could work there. Only the file system is asked, and it may change its mind. */
async function judgeStore(store: Plan['store']): Promise<readonly string[]> {
  if (!('type' in store) || store.type === 'memory' || store.path === ':memory:') return []
  const file = resolve(store.path)
  const found = await stat(file).catch(() => undefined)
  if (found !== undefined && !found.isFile()) return [`store: ${store.path} is not a file`]
  const folder = dirname(file)
  const place = await stat(folder).catch(() => undefined)
  if (place?.isDirectory() !== true) {
    return [`store: there is no directory ${folder}; make it, or name another path`]
  }
  // SQLite writes beside the file, so it needs the directory too.
  const needed = found === undefined ? [folder] : [folder, file]
  for (const path of needed) {
    const allowed = await access(path, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    )
    if (!allowed) return [`store: this user may not read and write ${path}`]
  }
  return []
}
