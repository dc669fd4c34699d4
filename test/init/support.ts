/** Projects in memory, and what `init` would make of them. */
import type { Choices } from '../../src/scaffold/choices.ts'
import { makePlan, type Plan } from '../../src/scaffold/plan.ts'
import { readManifest, type GitView, type ProjectFiles } from '../../src/scaffold/project.ts'
import { recognise, type Recognition } from '../../src/scaffold/recognise.ts'
import { readUpstream, type UpstreamChoice } from '../../src/scaffold/upstream_choice.ts'

export type Texts = Readonly<{ [path: string]: string }>

export const KEY: string = `mok_${'k'.repeat(43)}`

export function upstreamChoice(word: string): UpstreamChoice {
  const choice = readUpstream(word)
  if ('fault' in choice) throw new Error(choice.fault)
  return choice
}

export function manifestText(packages: Texts, more: object = {}): string {
  return `${JSON.stringify({ name: 'notes', type: 'module', ...more, dependencies: packages }, undefined, 2)}\n`
}

/** As the command reads them from the disk. */
export function filesOf(
  texts: Texts,
  others: Texts = {},
  tracked: readonly string[] = [],
): ProjectFiles {
  const ignore = texts['.gitignore']
  const ignores: GitView['ignores'] = ignore === undefined ? [] : [{ below: '', text: ignore }]
  return {
    texts: new Map(Object.entries(texts)),
    others: new Map(Object.entries(others)),
    git: { tracked: new Set(tracked), ignores },
  }
}

export function recognitionOf(files: ProjectFiles, entry?: string): Recognition {
  const manifest = readManifest(files.texts.get('package.json') ?? '')
  if (manifest === undefined) throw new Error('no manifest')
  return recognise(files, manifest, entry)
}

export interface PlanOptions extends Partial<Omit<Choices, 'upstream'>> {
  readonly upstream?: string
  readonly entry?: string
}

export function planOf(files: ProjectFiles, options: PlanOptions = {}): Plan {
  const { upstream = 'github', entry, ...choices } = options
  const recognition = recognitionOf(files, entry)
  return makePlan(files, recognition, {
    upstream: upstreamChoice(upstream),
    store: recognition.store,
    key: KEY,
    version: '0.1.0',
    ...choices,
  })
}

/** The texts after the plan was carried out. */
export function carriedOut(files: ProjectFiles, { writes }: Plan): Texts {
  return {
    ...Object.fromEntries(files.texts),
    ...Object.fromEntries(writes.map(({ path, text }) => [path, text])),
  }
}

/** What a plan makes of one file; what it was, where it is left alone. */
export function fileAfter(files: ProjectFiles, plan: Plan, path: string): string {
  return carriedOut(files, plan)[path] ?? ''
}
