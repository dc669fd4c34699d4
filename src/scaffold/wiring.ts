/**
 * What it takes to put sign-in into the code of one app.
 */
import type { Edit } from './edit.ts'
import { findImports, importEdit, localName } from './imports.ts'
import { inStyle, type Style } from './style.ts'
import { findCalls, textAt, type Call, type Code } from './code.ts'

/** The module that makes `auth`, as this program names it. */
export const AUTH_MODULE: RegExp = /(?:^|\/)mcp_oauth(?:\.\w+)?$/

/** A file of the project, and where in it the app is. */
export interface Site {
  readonly path: string
  readonly code: Code
}

/** Where the module that makes `auth` is, seen from the site. */
export interface AuthImport {
  readonly specifier: string
  readonly commonjs: boolean
}

export interface Wiring {
  readonly edits: readonly Edit[]
  /** What people must do themselves, each as lines. */
  readonly left: readonly string[]
  readonly notes: readonly string[]
}

/** What a file imports of a module, with the edit that makes it do so. */
export interface Needed {
  readonly module: string
  readonly names: readonly string[]
}

/** What `auth` is called in this file: the name may be taken. */
export function authName(code: Code, { specifier }: AuthImport): string {
  const known = localName(code, specifier, 'auth')
  if (known !== undefined) return known
  const isTaken = code.tokens.some(
    ({ kind, text }, at) => kind === 'word' && text === 'auth' && textAt(code, at - 1) !== '.',
  )
  return isTaken ? 'mcpAuth' : 'auth'
}

/** Whether something is guarded here. */
export function callsProtect(code: Code): boolean {
  return protectCalls(code).length > 0
}

/**
 * The calls of `auth.protect(…)`. `protect` is a word of others, too, as of Clerk and of
 * Arcjet: it counts where `auth` comes from a file of the project, or is made here.
 */
export function protectCalls(code: Code): readonly Call[] {
  const imported = findImports(code).filter(
    ({ module, imported: name }) =>
      AUTH_MODULE.test(module) || (name === 'auth' && /^(?:[.~#]|@\/)/.test(module)),
  )
  const made = findCalls(code, 'createMcpOAuth').length > 0 ? ['auth'] : []
  return [...imported.map(({ local }) => local), ...made].flatMap((name) =>
    findCalls(code, 'protect', name),
  )
}

/** The statements that import what is not imported yet, behind the imports that are there. */
export function importEdits(
  code: Code,
  needed: readonly Needed[],
  { commonjs, style }: { readonly commonjs: boolean; readonly style: Style },
): readonly Edit[] {
  return needed.flatMap(({ module, names }) => {
    const missing = names.filter((name) => {
      const [imported = name] = name.replace(/^default .*/, 'default').split(' as ')
      return localName(code, module, imported) === undefined
    })
    if (missing.length === 0) return []
    return [importEdit(code, inStyle(importLine(module, missing, commonjs), style))]
  })
}

function importLine(module: string, names: readonly string[], commonjs: boolean): string {
  const [, onlyDefault] = /^default (\w+)$/.exec(names[0] ?? '') ?? []
  if (!commonjs) return `import ${onlyDefault ?? `{ ${names.join(', ')} }`} from '${module}';`
  const pattern = `{ ${names.map((name) => name.replace(' as ', ': ')).join(', ')} }`
  return `const ${onlyDefault ?? pattern} = require('${module}');`
}

export function authNeeded(code: Code, from: AuthImport): Needed {
  const name = authName(code, from)
  return { module: from.specifier, names: [name === 'auth' ? 'auth' : `auth as ${name}`] }
}
