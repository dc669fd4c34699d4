/**
 * Which of our languages a person reads: RFC 9110 §12.5.4.
 */

/** The languages that the pages are written in. */
export type Language = 'en' | 'zh'

const MAX_LENGTH = 1000
// RFC 9110 §12.4.2 and RFC 4647 §2.1.
const RANGE = /^(\*|[a-z]{1,8})(?:-[a-z0-9]{1,8})*(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/

/** English, unless the header ranks some Chinese above it. Only the first 1000 characters count. */
export function chooseLanguage(acceptLanguage: string | undefined): Language {
  const ranks = new Map<string, number>()
  for (const range of (acceptLanguage ?? '').slice(0, MAX_LENGTH).toLowerCase().split(',')) {
    const [, primary, quality = '1'] = RANGE.exec(range.trim()) ?? []
    if (primary === undefined || (ranks.get(primary) ?? 0) >= Number(quality)) continue
    ranks.set(primary, Number(quality))
  }
  const chinese = ranks.get('zh') ?? 0
  const english = ranks.get('en') ?? ranks.get('*') ?? 0
  if (chinese !== english) return chinese > english ? 'zh' : 'en'
  return chinese > 0 && firstOf([...ranks.keys()], ['zh', 'en', '*']) === 'zh' ? 'zh' : 'en'
}

function firstOf(list: readonly string[], wanted: readonly string[]): string | undefined {
  return list.find((item) => wanted.includes(item))
}
