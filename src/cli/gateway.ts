/**
 * `mcp-oauth gateway`: reads and judges the settings, tells every fault, and serves until it is told
 * to stop.
 */
import { isReachable } from '../gateway/backend.ts'
import { judge } from '../gateway/judge.ts'
import { createLog, mask } from '../gateway/log.ts'
import { createPlan, type Plan } from '../gateway/plan.ts'
import type { Environment } from '../gateway/read_environment.ts'
import { serve, type Service } from '../gateway/serve.ts'
import { readSettings } from '../gateway/settings.ts'
import { warnings } from '../gateway/warnings.ts'
import { gatewayHelp } from './help.ts'
import { createLogSink } from './log_sink.ts'
import { judgeStorePlace } from './store_place.ts'
import type { Terminal } from './terminal.ts'

/** @returns the exit status, once there is nothing left to do. */
export async function gateway(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment = process.env,
): Promise<number> {
  const settings = await readSettings(args, environment)
  if (settings.help) {
    terminal.out(gatewayHelp())
    return 0
  }
  const { plan, faults } = createPlan(settings.config, environment)
  const found = new Set([
    ...settings.faults,
    ...faults,
    ...judge(plan),
    ...judgeStorePlace(plan.store),
  ])
  for (const fault of [...settings.usage, ...found]) terminal.fault(mask(fault))
  if (settings.usage.length > 0) return 2
  if (found.size > 0) return 1
  for (const warning of [...settings.warnings, ...warnings(plan)])
    terminal.tell(`warning: ${warning}`)
  return settings.check ? await check(plan, terminal) : await start(plan, terminal)
}

async function check(plan: Plan, terminal: Terminal): Promise<number> {
  for (const { to } of Object.values(plan.backends)) {
    if (!(await isReachable(to))) terminal.tell(`warning: nothing answers at ${new URL(to).origin}`)
  }
  terminal.out('The settings are sound.\n')
  return 0
}

async function start(plan: Plan, terminal: Terminal): Promise<number> {
  const log = createLog(createLogSink(process.stderr))
  const stopped = untilStopped()
  const service = await serve(plan, log)
  greet(plan, service, terminal)
  const signal = await stopped
  terminal.tell(`${signal}: finishing what is under way`)
  await service.close()
  return 0
}

function greet({ options, backends }: Plan, { url }: Service, terminal: Terminal): void {
  terminal.tell(`Listening on ${url}`)
  for (const [resource, { to }] of Object.entries(backends)) {
    terminal.tell(`MCP endpoint for clients: ${resource} (behind it ${to})`)
  }
  terminal.tell(`Callback to register at the upstream: ${options.issuer}/callback`)
}

/** The first signal. The second ends the process at once, as it does where nobody listens. */
function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}
