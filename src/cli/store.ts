/**
 * `mcp-oauth store copy`: every record from one store to another, and the proof that both are equal.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openStore } from '../gateway/open_store.ts'
import type { Environment } from '../gateway/read_environment.ts'
import { suggest } from '../server/config/suggest.ts'
import { copyStore, isEqualCopy, type CopiedKind, type Progress } from '../moving/copy.ts'
import { adoptSkillKeys } from './adopt_skill.ts'
import { now } from './clock.ts'
import type { Terminal } from './terminal.ts'

export const STORE_HELP = `Usage: mcp-oauth store copy --from <store> --to <store>
       mcp-oauth store adopt-skill --from <redis> [flags]

store copy copies every record that has not expired, live sign-ins included, and compares both sides
at the end. The status is 0 when they are equal. Where the target holds a record otherwise, the source
wins, unless the target's is ahead: ended, rotated or refreshed since. Then the status is 1.

May be repeated: once beside the servers at work, and once more, quickly, when they are stopped. Then
start them on the new store with the same keys. Do not copy to a store that a server works on already:
that would bring back what has been deleted there since.

  --from    What to copy, as the gateway's --store. Default: MCP_OAUTH_STORE_FROM
  --to      Where to. Default: MCP_OAUTH_STORE_TO
  --help    Shows this; behind adopt-skill, what that takes.

Name a store with a password in the environment, since others can list a command's arguments.
`

/** @returns the exit status. */
export async function store(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment = process.env,
): Promise<number> {
  const [verb, ...rest] = args
  if (verb === 'adopt-skill') return await adoptSkillKeys(rest, terminal, environment)
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(STORE_HELP)
    return 0
  }
  if (verb !== 'copy') {
    const near = verb === undefined ? '' : suggest(verb, ['copy', 'adopt-skill'])
    terminal.fault(`store has two commands, copy and adopt-skill${near}`)
    return 2
  }
  let values
  try {
    const options = { from: { type: 'string' }, to: { type: 'string' } } as const
    values = parseArgs({ args: rest, options }).values
  } catch {
    terminal.fault('store copy takes only --from <store> and --to <store>')
    return 2
  }
  const from = values.from ?? environment['MCP_OAUTH_STORE_FROM']
  const to = values.to ?? environment['MCP_OAUTH_STORE_TO']
  const fault = judge(from, to)
  if (fault !== undefined || from === undefined || to === undefined) {
    terminal.fault(fault ?? 'nothing to copy')
    return fault?.startsWith('name') === true ? 2 : 1
  }
  return await copy(from, to, terminal, environment)
}

function judge(from: string | undefined, to: string | undefined): string | undefined {
  if (from === undefined || to === undefined) return 'name both stores, --from and --to'
  if (from === to) return 'both stores are the same one'
  // SQLite would make the file, and nothing would be copied with success.
  const [, path] = /^sqlite:(.+)$/.exec(from) ?? []
  return path === undefined || existsSync(path) ? undefined : `there is no file ${path}`
}

async function copy(
  from: string,
  to: string,
  terminal: Terminal,
  environment: Environment,
): Promise<number> {
  const source = await openStore(from, environment)
  try {
    const target = await openStore(to, environment)
    try {
      const kinds = await copyStore(source.store, target.store, now(), tellEach(terminal))
      return report(kinds, terminal)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** A line for each tenth of a kind. */
function tellEach(terminal: Terminal): (progress: Progress) => void {
  let told = ''
  return ({ kind, done, total }) => {
    const percent = total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 10) * 10)
    const line = `${kind} ${percent} %`
    if (line === told) return
    told = line
    terminal.tell(`${line} (${done} of ${total})`)
  }
}

function report(kinds: readonly CopiedKind[], terminal: Terminal): number {
  for (const { kind, source, target } of kinds) {
    const equal = source.checksum === target.checksum ? 'equal' : 'NOT EQUAL'
    terminal.out(
      `${kind}  ${source.count} in the source, ${target.count} in the target, ${equal}\n`,
    )
  }
  if (isEqualCopy(kinds)) return 0
  terminal.fault(
    'the stores differ: the source changed meanwhile, or the target held more. Stop the servers and copy again, to an empty store if need be',
  )
  return 1
}
