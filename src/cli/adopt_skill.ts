/**
 * `mcp-oauth store adopt-skill`: the sign-ins that a server by the skill has left in Redis, taken over.
 */
import { parseArgs } from 'node:util'
import { judge } from '../gateway/judge.ts'
import { mask } from '../gateway/log.ts'
import { openRedisKeys, openSetting } from '../gateway/open_store.ts'
import { createPlan, openUpstream } from '../gateway/plan.ts'
import type { Environment } from '../gateway/read_environment.ts'
import { readSettings, type Settings } from '../gateway/settings.ts'
import { adoptSkill, type SkillReport } from '../moving/adopt_skill.ts'
import { createSkillKeys } from '../moving/skill_keys.ts'
import { createMcpOAuth } from '../server/server.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { now } from './clock.ts'
import { judgeStorePlace } from './store_place.ts'
import type { Terminal } from './terminal.ts'

export const ADOPT_SKILL_HELP = `Usage: mcp-oauth store adopt-skill --from <redis> [--keep] [the gateway's flags]

Takes over the sign-ins of a server that was made by the mcp-oauth skill: its users stay signed in, and
its plaintext tokens go. The server that goes on with them is described as the gateway's is, by the same
flags, environment and config file; --to may be left out:

  export MCP_OAUTH_KEYS=… MCP_OAUTH_UPSTREAM_CLIENT_ID=… MCP_OAUTH_UPSTREAM_CLIENT_SECRET=…
  mcp-oauth store adopt-skill --from upstash --store upstash --upstream github \\
    --issuer https://mcp.example.com --resource https://mcp.example.com/mcp

Stop the old server first. Who a user is, is asked of the upstream with the token that is there. May be
stopped and repeated; the status is 0 when every user was taken over or refused by the upstream.

  --from    The Redis with the skill's keys: redis://…, rediss://…, redis+cluster://… or upstash.
            Default: MCP_OAUTH_STORE_FROM
  --keep    Leaves the plaintext keys where they are.
  --help    Shows this.
`

const OWN = {
  from: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @returns the exit status. */
export async function adoptSkillKeys(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment,
): Promise<number> {
  const { values, rest } = split(args)
  if (values.help === true) {
    terminal.out(ADOPT_SKILL_HELP)
    return 0
  }
  const from = values.from ?? environment['MCP_OAUTH_STORE_FROM']
  if (typeof from !== 'string' || from === '') {
    terminal.fault('name the Redis with the keys, --from redis://… or --from upstash')
    return 2
  }
  const settings = withoutBackend(await readSettings(rest, environment))
  const { plan, faults } = createPlan(settings.config, environment)
  const found = [...settings.faults, ...faults, ...judge(plan), ...judgeStorePlace(plan.store)]
  for (const fault of [...settings.usage, ...new Set(found)]) terminal.fault(mask(fault))
  if (settings.usage.length > 0) return 2
  if (found.length > 0) return 1
  const upstream = openUpstream(plan.upstream)
  if (upstream.type !== 'redirect') {
    terminal.fault("upstream: the app's own login has no tokens to ask with")
    return 1
  }
  const keys = await openRedisKeys(from, environment)
  try {
    const opened = await openSetting(plan.store)
    try {
      const report = await adoptSkill({
        keys: createSkillKeys(keys.executor),
        auth: createMcpOAuth({ ...plan.options, store: opened.store, upstream }),
        upstream,
        clock: now,
        keep: values.keep === true,
        tell: tellEach(terminal),
      })
      return tell(report, upstream, terminal)
    } finally {
      await opened.close()
    }
  } finally {
    await keys.close()
  }
}

/** What is this command's own, and what the gateway reads. */
function split(args: readonly string[]): {
  readonly values: { readonly from?: unknown; readonly keep?: unknown; readonly help?: unknown }
  readonly rest: readonly string[]
} {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: OWN,
    strict: false,
    tokens: true,
  })
  const taken = tokens.flatMap((token) => {
    if (token.kind !== 'option' || !Object.hasOwn(OWN, token.name)) return []
    return token.value !== undefined && token.inlineValue !== true
      ? [token.index, token.index + 1]
      : [token.index]
  })
  return { values, rest: args.filter((_, index) => !taken.includes(index)) }
}

/** Nothing is passed on here, so no backend has to be named. */
function withoutBackend(settings: Settings): Settings {
  const { config } = settings
  if (config.to !== undefined || config.resources !== undefined) return settings
  return { ...settings, config: { ...config, to: 'http://127.0.0.1/mcp' } }
}

function tellEach(terminal: Terminal): (done: number, total: number) => void {
  return (done, total) => {
    if (done % 100 === 0 || done === total) terminal.tell(`${done} of ${total} users`)
  }
}

function tell(
  { users, sessions, removed }: SkillReport,
  { name }: Upstream,
  terminal: Terminal,
): number {
  terminal.out(
    `users     ${users.adopted} taken over, ${users.refused} refused by ${name}, ${users.later} to be tried again\n` +
      `sessions  ${sessions.adopted} taken over, ${sessions.known} known before, ${sessions.refused} over\n` +
      `removed   ${removed} plaintext keys\n`,
  )
  if (users.later > 0) {
    terminal.fault(`${name} did not answer for ${users.later} users; run this again`)
    return 1
  }
  if (users.adopted === 0 && users.refused > 0) {
    terminal.fault(`${name} refused every user, and nothing was removed. Is it the right upstream?`)
    return 1
  }
  return 0
}
