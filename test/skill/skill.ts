/**
 * The agent skill, read as a reader reads it: its documents, the code blocks in them, and which file each
 * block says that it is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const SKILL: string = resolve(import.meta.dirname, '../../skills/mcp-oauth')

/** Every document of the skill, by its path in the skill. */
export const DOCUMENTS: readonly string[] = readdirSync(SKILL, {
  recursive: true,
  encoding: 'utf8',
}).filter((path) => path.endsWith('.md'))

export interface Block {
  readonly language: string
  /** The heading that it stands under. */
  readonly section: string
  /** The name in its first line, of a block of code. */
  readonly file: string | undefined
  readonly text: string
}

export function read(path: string): string {
  return readFileSync(join(SKILL, path), 'utf8')
}

export function blocksOf(document: string): readonly Block[] {
  const found = read(document).matchAll(/^(?:#+ (.+)|```(\w*)\n([\s\S]*?)^```)$/gm)
  let section = ''
  const blocks: Block[] = []
  for (const [, heading, language = '', text = ''] of found) {
    if (heading !== undefined) section = heading
    else blocks.push({ language, section, file: /^\/\/ (\S+)\n/.exec(text)?.[1], text })
  }
  return blocks
}

/** The one block of `document` that is `file`, in the section whose heading begins with `section`. */
export function blockOf(document: string, file: string, section = ''): string {
  const [block, ...others] = blocksOf(document).filter(
    (one) => one.file === file && one.section.startsWith(section),
  )
  if (block === undefined || others.length > 0) {
    throw new Error(`${document} has ${others.length + (block ? 1 : 0)} blocks of ${file}`)
  }
  return block.text
}

/** `module` with the upstream of `recipe` in place of its own: the import and the `const`, as the skill says. */
export function withUpstream(module: string, recipe: string): string {
  const anImport = /^import .* from '@mcp-oauth\/server\/upstream'\n/m
  const aConstant = /^( *)const upstream = [\s\S]*?^\1}\)\n/m
  const body = recipe.replace(/^\/\/ .*\n/, '')
  const [, imports = '', constant = ''] = /^((?:import .*\n)+)\n([\s\S]*)$/.exec(body) ?? []
  if (!anImport.test(module) || !aConstant.test(module) || !aConstant.test(constant)) {
    throw new Error('the module and the recipe do not fit')
  }
  return module.replace(anImport, () => imports).replace(aConstant, () => constant)
}
