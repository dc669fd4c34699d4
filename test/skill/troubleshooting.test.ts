/**
 * Whoever searches for a message finds it: the troubleshooting documents quote what the code says, and what a
 * program says that does not start is in them whole.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ENGLISH } from '../../src/server/consent/texts_en.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const GUIDE = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8')
const SHORT = readFileSync(join(ROOT, 'skills/mcp-oauth/references/troubleshooting.md'), 'utf8')

/** The code without the joints of its texts. */
const SOURCE = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n')

/** What is quoted of others, or is no message: paths, names, headers, commands, options. */
const NOT_OURS = /^([/`]|ERR_|[\w.-]+$|next build|authInfo|\w+:\/\/|--)/

/** The messages that the first column of the tables quotes, without the option that may stand before. */
function messagesIn(text: string): readonly string[] {
  const cells = [...text.matchAll(/^\| (?!what is seen|-)(.*?) \|/gm)].map(([, cell = '']) => cell)
  const quoted = cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one),
  )
  const ours = quoted.filter((one) => !NOT_OURS.test(one))
  return [
    ...new Set(ours.map((one) => one.replace(/^(keys: |(issuer|resource) (?=must|is ))/, ''))),
  ]
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** A quotation as a pattern of what the code has: `…` stands for anything, a colon may be a joint. */
function pattern(quotation: string): RegExp {
  const parts = quotation.split('…').map((part) => part.trim())
  return new RegExp(parts.map(literal).join(String.raw`[\s\S]{0,120}?`))
}

/** The texts that `found` takes out of the code. */
function told(folder: string, names: RegExp, found: RegExp): readonly string[] {
  const files = readdirSync(join(ROOT, 'src', folder)).filter((name) => names.test(name))
  const texts = files.flatMap((name) => {
    const source = readFileSync(join(ROOT, 'src', folder, name), 'utf8')
    return [...source.matchAll(found)].map(([, , text = '']) => text)
  })
  return [...new Set(texts)]
}

describe('what the documents quote is what the code says', () => {
  const ours = messagesIn(GUIDE + SHORT)

  it('there are many', () => expect(ours.length).toBeGreaterThan(80))

  it.each(ours)('%s', (quotation) => {
    expect(SOURCE).toMatch(pattern(quotation))
  })
})

describe('what the code says is in the document', () => {
  it.each(Object.values(ENGLISH.errors).map(({ title }) => title))('page: %s', (title) => {
    expect(GUIDE).toContain(title)
  })

  const messages = messagesIn(GUIDE).map(pattern)
  const starts = [
    ...told('server/config', /^judge/, /fault\(\s*[^,]+,\s*(['`])(.{12,}?)\1/g),
    ...told(
      'crypto',
      /^keyring/,
      /(['`])((?:is|the|two|no) (?:not|too|same|keys|key) .+?)\1[,)\]]/g,
    ),
    ...told('stores', /\.ts$/, /TypeError\(\s*(['`])(.+?)\1/g),
    ...told('server/keys', /^judge/, /reason = (`)([^`]+)`/g),
  ]

  it('there are many', () => expect(starts.length).toBeGreaterThan(45))

  it.each(starts)('start: %s', (text) => {
    expect(messages.some((message) => message.test(text))).toBe(true)
  })
})
