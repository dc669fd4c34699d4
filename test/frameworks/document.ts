/** The programs of `docs/frameworks.md`: each block of code that begins with its file's name. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const DOCUMENT = resolve(import.meta.dirname, '../../docs/frameworks.md')
const BLOCK = /^```typescript\n\/\/ (\S+)\n([\s\S]*?)^```/gm

const blocks: ReadonlyMap<string, string> = new Map(
  [...readFileSync(DOCUMENT, 'utf8').matchAll(BLOCK)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
)

/** Names of all of them, in the document's order. */
export const programs: readonly string[] = [...blocks.keys()]

/** The program of this name. */
export function program(name: string): string {
  const text = blocks.get(name)
  if (text === undefined) throw new Error(`docs/frameworks.md has no ${name}`)
  return text
}
