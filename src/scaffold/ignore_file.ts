/**
 * What git leaves out, by its ignore files: enough to know whether a secret would be committed.
 */
import { lineEndOf } from './edit.ts'
import type { GitView } from './project.ts'

/** Whether the ignore files leave `path` out; the last rule that fits decides. */
export function isIgnored({ ignores }: GitView, path: string): boolean {
  let ignored = false
  for (const { below, text } of ignores) {
    const full = below === '' ? path : `${below}/${path}`
    for (const line of text.split(/\r?\n/)) {
      const rule = line.replace(/(?<!\\)\s+$/, '')
      if (rule === '' || rule.startsWith('#')) continue
      const negated = rule.startsWith('!')
      if (fits(negated ? rule.slice(1) : rule, full)) ignored = !negated
    }
  }
  return ignored
}

/** A pattern without a slash fits at any depth, and a folder that fits takes all in it along. */
function fits(rule: string, path: string): boolean {
  const body = rule.replace(/\/$/, '')
  const anchored = body.includes('/')
  const pattern = patternOf(body.replace(/^\//, ''))
  if (pattern === undefined) return false
  const parts = path.split('/')
  return parts.some((_, index) => {
    const isFolder = index < parts.length - 1
    if (rule.endsWith('/') && !isFolder) return false
    const whole = parts.slice(0, index + 1).join('/')
    return pattern.test(anchored ? whole : (parts[index] ?? ''))
  })
}

/** Undefined for what git would not understand, such as `[z-a]`. */
function patternOf(glob: string): RegExp | undefined {
  try {
    return new RegExp(`^${regexOf(glob)}$`)
  } catch {
    return undefined
  }
}

function regexOf(glob: string): string {
  return (
    glob
      // A row of stars says no more than two, and takes ages.
      .replace(/\*{3,}/g, '**')
      .split(/(\*\*\/|\/\*\*|\*\*|\*|\?|\[[^\]]*\])/)
      .map((part) => {
        if (part === '**/') return '(?:.*/)?'
        if (part === '/**' || part === '**') return '.*'
        if (part === '*') return '[^/]*'
        if (part === '?') return '[^/]'
        if (/^\[.+\]$/.test(part)) return part.replace(/^\[!/, '[^').replace(/\\/g, '\\\\')
        return part.replace(/\\(.)/g, '$1').replace(/[.+^${}()|\\[\]]/g, '\\$&')
      })
      .join('')
  )
}

/** `text` with lines more. */
export function withIgnored(text: string, patterns: readonly string[]): string {
  if (patterns.length === 0) return text
  const eol = lineEndOf(text)
  const ahead = text === '' || text.endsWith('\n') ? text : `${text}${eol}`
  return `${ahead}${patterns.join(eol)}${eol}`
}
