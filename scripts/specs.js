/**
 * Joins the sections that the source cites with the sections that tests are named by, into `SPECS.md`.
 *
 * `node scripts/specs.js` writes it, and with `--check` says whether it is current. A `§` without the name
 * of its text belongs to the text named last before it in the same file.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readTitles } from './titles.js'

const ROOT = resolve(import.meta.dirname, '..')
const OUT = join(ROOT, 'SPECS.md')
const TEXTS =
  'RFC \\d{4}|OAuth 2\\.1|OpenID Connect Core|OpenID Connect Discovery|CIMD|CSP 3|UTS 39|UAX 9|HTML Living Standard'
const TOKEN = new RegExp(`\\b(${TEXTS})\\b|§(\\d+(?:\\.\\d+)*)`, 'g')

const HEAD = `# Specifications

Which sections the source cites at its checks, and which tests are named by them. Written by
\`node scripts/specs.js\`; a test says when it is out of date.
`

/** text → section → { source, tests }: the files on either side. */
const sectionsOf = new Map()

function note(text, side, file) {
  let spec
  for (const [, named, section] of text.matchAll(TOKEN)) {
    if (named !== undefined) spec = named
    else if (spec !== undefined) entry(spec, section)[side].add(file)
  }
}

function entry(spec, section) {
  if (!sectionsOf.has(spec)) sectionsOf.set(spec, new Map())
  const sections = sectionsOf.get(spec)
  if (!sections.has(section)) sections.set(section, { source: new Set(), tests: new Set() })
  return sections.get(section)
}

/** `§4.10` comes after `§4.9`. */
function byNumber(one, other) {
  return one.localeCompare(other, 'en', { numeric: true })
}

function render() {
  const chapters = [...sectionsOf].sort(([one], [other]) => byNumber(one, other))
  return [HEAD, ...chapters.map(([spec, sections]) => chapter(spec, sections))].join('\n')
}

function chapter(spec, sections) {
  const rows = [...sections]
    .sort(([one], [other]) => byNumber(one, other))
    .map(([section, { source, tests }]) => `| §${section} | ${list(source)} | ${list(tests)} |`)
  return `## ${spec}\n\n| section | cited in | tested in |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

function list(files) {
  return [...files].sort().join(', ') || '–'
}

for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.ts')) note(readFileSync(join(ROOT, 'src', name), 'utf8'), 'source', name)
}
for (const { file, titles } of readTitles(ROOT)) {
  // The header of a test file may name the text that its titles leave unsaid.
  const header = readFileSync(join(ROOT, file), 'utf8').split('import')[0].match(TOKEN)?.[0] ?? ''
  note([header.startsWith('§') ? '' : header, ...titles].join('\n'), 'tests', file.slice(5))
}

const specs = render()
if (!process.argv.includes('--check')) {
  writeFileSync(OUT, specs)
} else if (!existsSync(OUT) || readFileSync(OUT, 'utf8') !== specs) {
  process.stderr.write('✗ SPECS.md is out of date; run `node scripts/specs.js`\n')
  process.exitCode = 1
}
