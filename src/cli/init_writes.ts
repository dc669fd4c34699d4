/**
 * The plan of `mcp-oauth init`, shown, agreed to, and carried out.
 */
import { unifiedDiff } from '../scaffold/diff.ts'
import type { Plan, Write } from '../scaffold/plan.ts'
import type { ProjectFiles } from '../scaffold/project.ts'
import type { Recognition } from '../scaffold/recognise.ts'
import type { UpstreamChoice } from '../scaffold/upstream_choice.ts'
import { nextWords } from '../scaffold/words.ts'
import type { Answerer } from './init_questions.ts'
import { holdsSecrets, judgeWrites, writeFile } from './project_disk.ts'
import type { Terminal } from './terminal.ts'

export interface Job {
  readonly root: string
  readonly files: ProjectFiles
  readonly recognition: Recognition
  readonly upstream: UpstreamChoice
  readonly plan: Plan
  readonly dryRun: boolean
  readonly terminal: Terminal
  readonly person: Answerer | undefined
}

/** @returns the exit status. */
export async function carryOut(job: Job): Promise<number> {
  const { plan, terminal, person, root, dryRun } = job
  for (const write of plan.writes) terminal.out(difference(write))
  const replaced = await askForConflicts(job)
  const writes = [...replaced, ...plan.writes]
  const kept = plan.conflicts.filter(({ path }) => !replaced.some((one) => one.path === path))
  if (kept.length > 0) return refuse(job, kept)
  if (writes.length > 0 && !dryRun) {
    if (
      person !== undefined &&
      !(await person.confirm(`Write ${counted(writes.length, 'file')}?`))
    ) {
      terminal.tell('Nothing was written.')
      return 0
    }
    const faults = judgeWrites(root, writes)
    for (const fault of faults) terminal.fault(fault)
    if (faults.length > 0 || !writeAll(job, writes)) return 1
  }
  sayLast(job, writes)
  return plan.left.length > 0 ? 3 : 0
}

/** Half of a sign-in would break the server, so nothing is written beside a file that is in the way. */
function refuse({ terminal }: Job, kept: Plan['conflicts']): number {
  for (const { path, why, text } of kept) {
    terminal.fault(
      `${path} ${why}; nothing was written. Move it away and run this again, or make it:`,
    )
    terminal.tell(text)
  }
  return 1
}

/** Only a person can say that a file is to go. */
async function askForConflicts({ plan, files, terminal, person }: Job): Promise<readonly Write[]> {
  const replaced: Write[] = []
  for (const { path, text } of plan.conflicts) {
    const old = files.texts.get(path)
    if (person === undefined || old === undefined) continue
    terminal.out(difference({ path, old, text }))
    if (await person.confirm(`${path} is there already. Overwrite it?`)) {
      replaced.push({ path, old, text })
    }
  }
  return replaced
}

/** Stops at the first that fails, and tells what is done by then. */
function writeAll({ root, terminal }: Job, writes: readonly Write[]): boolean {
  for (const [index, write] of writes.entries()) {
    try {
      writeFile(root, write)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      terminal.fault(`${write.path} could not be written: ${reason}`)
      terminal.fault(
        `written before that: ${
          writes
            .slice(0, index)
            .map(({ path }) => path)
            .join(', ') || 'nothing'
        }`,
      )
      return false
    }
  }
  return true
}

function sayLast(
  { plan, recognition, upstream, terminal, dryRun }: Job,
  writes: readonly Write[],
): void {
  const verb = dryRun ? 'It would write' : 'Written:'
  terminal.tell(
    writes.length === 0
      ? 'There is nothing to write.'
      : `${verb} ${writes.map(({ path }) => path).join(', ')}.`,
  )
  for (const note of plan.notes) terminal.tell(`Note: ${note}.`)
  for (const lines of plan.left) {
    terminal.tell('Left to you:')
    for (const line of lines) terminal.tell(`  ${line}`)
  }
  if (plan.left.length === 0 && writes.length === 0) {
    terminal.tell('All is done.')
  }
  if (writes.length === 0 || dryRun) return
  terminal.tell('\nNext:')
  for (const line of nextWords(plan, recognition, upstream)) terminal.tell(line)
}

/** What a file of secrets has already is nobody's business here: terminals are read by agents, and kept in logs. */
function difference({ path, old, text }: Write): string {
  if (old === undefined || !holdsSecrets(path)) return shown(unifiedDiff(path, old, text))
  const there = new Set(old.split(/\r?\n/))
  const hide = (one: string) =>
    one.replace(/[^\r\n]+/g, (line) => (there.has(line) ? '<as it is>' : line))
  return shown(unifiedDiff(path, hide(old), hide(text)))
}

/** Without the new key, which would stay in logs. */
function shown(diff: string): string {
  return diff.replace(/^(\+MCP_OAUTH_KEYS=)mok_[\w-]+/gm, '$1<a new key>')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
