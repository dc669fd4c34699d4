/**
 * What every agent reads of the skill: its front matter keeps the rules of the Agent Skills specification, and
 * what the documents name is there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { INIT_HELP } from '../../src/cli/init_flags.ts'
import { blocksOf, DOCUMENTS, read, SKILL } from './skill.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** What people say who need it, and what the skill that this one replaces was called by. */
const TRIGGERS = [
  'add auth to my MCP server',
  'protect MCP tools with OAuth',
  'MCP login flow',
  'withMcpAuth',
  'dynamic client registration MCP',
  'Claude connector OAuth',
]

const [, frontMatter = '', body = ''] =
  /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(read('SKILL.md')) ?? []

/** A field of the front matter; of a folded one the lines are joined, as YAML does. */
function field(name: string): string {
  const [, text = ''] =
    new RegExp(`^${name}:(?: >-)?((?: .*|\\n {2}.*)+)`, 'm').exec(frontMatter) ?? []
  return text.trim().replace(/\n {2}/g, ' ')
}

describe('Agent Skills specification, frontmatter', () => {
  it('the name is the folder, in small letters', () => {
    expect(field('name')).toBe(basename(SKILL))
    expect(field('name')).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(field('name').length).toBeLessThanOrEqual(64)
  })

  it('the description says what and when, in no more than 1024 characters', () => {
    const description = field('description')
    expect(description.length).toBeLessThanOrEqual(1024)
    expect(description).toContain('Use when')
    for (const trigger of TRIGGERS) expect(description).toContain(trigger)
  })

  it('there is no other field than the specification has', () => {
    const names = [...frontMatter.matchAll(/^(\w[\w-]*):/gm)].map(([, name]) => name)
    expect(names).toEqual(['name', 'description', 'license'])
  })

  it('what is loaded when it starts is short, and so is each reference', () => {
    expect(body.split('\n').length).toBeLessThan(200)
    // About 5000 tokens.
    for (const document of DOCUMENTS) expect(read(document).length, document).toBeLessThan(20_000)
  })
})

describe('what the documents name is there', () => {
  it.each(DOCUMENTS)('%s: links', (document) => {
    for (const [, link = ''] of read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      expect(existsSync(resolve(SKILL, dirname(document), link)), link).toBe(true)
    }
  })

  it('SKILL.md leads to each file in one step', () => {
    const files = ['references', 'scripts'].flatMap((folder) =>
      readdirSync(join(SKILL, folder)).map((name) => `${folder}/${name}`),
    )
    for (const file of files) expect(body).toContain(file)
  })

  it.each(DOCUMENTS)('%s: each block of code says which file it is', (document) => {
    for (const { language, file, text } of blocksOf(document)) {
      expect(['ts', 'sh', 'jsonc', 'text'], text).toContain(language)
      if (language === 'ts') expect(file, text).toMatch(/^[\w./[\]-]+\.tsx?$/)
    }
  })

  it('each environment variable is read by code', () => {
    const code = [
      ...DOCUMENTS.flatMap((document) => blocksOf(document)).map(({ text }) => text),
      ...readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8')),
    ].join('\n')
    for (const document of DOCUMENTS) {
      for (const [name] of read(document).matchAll(/\b[A-Z]+(_[A-Z]+)+\b(?!…)/g)) {
        expect(code, `${name} in ${document}`).toMatch(new RegExp(`\\b${name}\\b['"}: ,=]`))
      }
    }
  })

  it('npm scripts and commands of the package exist', () => {
    const { scripts, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: object
      version: string
    }
    const main = readFileSync(join(ROOT, 'src/cli/main.ts'), 'utf8')
    const all = DOCUMENTS.map((document) => read(document)).join('\n')
    for (const [, name = ''] of all.matchAll(/npm run ([a-z]+)/g)) {
      expect(Object.keys(scripts)).toContain(name)
    }
    for (const [, name = ''] of all.matchAll(/npx mcp-oauth ([a-z]+)/g)) {
      expect(main).toContain(`case '${name}'`)
    }
    for (const [, named] of all.matchAll(/mcp-oauth-server-([\d.]+)\.tgz/g)) {
      expect(named).toBe(version)
    }
  })

  it('so do the flags and the exit status of init', () => {
    const [step = ''] = /^## 2\.[\s\S]*?(?=^## )/m.exec(body) ?? []
    const flags = [...step.matchAll(/(--[a-z][a-z-]*)/g)].map(([flag]) => flag)
    expect(flags.length).toBeGreaterThan(4)
    for (const flag of flags) expect(INIT_HELP).toMatch(new RegExp(`^  ${flag} `, 'm'))
    for (const [, status] of step.matchAll(/\bwith (\d)\b/g))
      expect(INIT_HELP).toContain(`${status} a`)
  })
})
