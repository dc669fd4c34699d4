/** The files around the code: environment, ignore file, manifest, git's index. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { namesIn, withVariables } from '../../src/scaffold/env_file.ts'
import { readIndex } from '../../src/scaffold/git_index.ts'
import { isIgnored } from '../../src/scaffold/ignore_file.ts'
import { withDependencies } from '../../src/scaffold/manifest_edit.ts'
import { fileAfter, filesOf, KEY, manifestText, planOf, type Texts } from './support.ts'

const APP = "import express from 'express';\nconst app = express();\napp.post('/mcp', h);\n"

function planned(texts: Texts, others: Texts = {}, tracked: readonly string[] = []) {
  const files = filesOf(
    { 'package.json': manifestText({ express: '5.3.0' }), 'index.js': APP, ...texts },
    others,
    tracked,
  )
  const plan = planOf(files)
  return {
    plan,
    after: (path: string) => fileAfter(files, plan, path),
    wrote: plan.writes.map(({ path }) => path),
  }
}

describe('.env', () => {
  it('gets a key when it is new, and the example has none', () => {
    const { after } = planned({})
    expect(after('.env')).toContain(`MCP_OAUTH_KEYS=${KEY}\n`)
    expect(after('.env.example')).toContain('MCP_OAUTH_KEYS=\n')
    expect(after('.env.example')).not.toContain('mok_')
  })

  it.each(['MCP_OAUTH_KEYS=mine', 'export MCP_OAUTH_KEYS="mine"', '  MCP_OAUTH_KEYS = mine'])(
    'keeps what it has: %s',
    (line) => {
      const { after } = planned({ '.env': `PORT=1\n${line}` })
      expect(after('.env')).toBe(
        `PORT=1\n${line}\nMCP_OAUTH_ISSUER=http://localhost:3000\nGITHUB_CLIENT_ID=\nGITHUB_CLIENT_SECRET=\n`,
      )
    },
  )

  it.each<[string, string]>([
    ['MCP_OAUTH_KEYS=', `MCP_OAUTH_KEYS=${KEY}`],
    ['export MCP_OAUTH_KEYS=""  ', `export MCP_OAUTH_KEYS=${KEY}`],
    ["MCP_OAUTH_KEYS = ''\r", `MCP_OAUTH_KEYS =${KEY}\r`],
  ])(
    'gets a key where it has the name alone, as a copy of the example does: %j',
    (line, expected) => {
      const example = planned({}).after('.env.example')
      const text = example.replace('MCP_OAUTH_KEYS=', line)
      const { after } = planned({ '.env': text })
      expect(after('.env')).toBe(example.replace('MCP_OAUTH_KEYS=', expected))
    },
  )

  it('keeps CRLF', () => {
    expect(planned({ '.env': 'A=1\r\n' }).after('.env').replaceAll('\r\n', '')).not.toContain('\n')
  })

  it('is not written where git tracks it, or where it is a link', () => {
    for (const { plan, wrote } of [
      planned({ '.env': 'A=1\n' }, {}, ['.env']),
      planned({}, { '.env': 'is a link' }),
    ]) {
      expect(wrote).not.toContain('.env')
      expect(plan.left.flat().join()).toContain('set MCP_OAUTH_ISSUER, MCP_OAUTH_KEYS')
    }
  })

  it('is not written where it cannot be hidden from git', () => {
    const { plan, wrote } = planned({}, { '.gitignore': 'is a link' })
    expect(wrote).not.toContain('.env')
    expect(plan.left.flat().join()).toMatch(/\.env is not ignored by git/)
  })

  it('has the variables of the provider whose client is there already', () => {
    const files = filesOf({
      'package.json': manifestText({ express: '5.3.0' }),
      'index.js': APP,
      '.env': 'GOOGLE_CLIENT_ID=1\n',
    })
    expect(files.texts.has('.env')).toBe(true)
    expect([...namesIn('# A=1\nB=2\n C = 3\nexport D=4\nE\n')]).toEqual(['B', 'C', 'D'])
  })

  it('never loses or doubles a line', () => {
    const variables = ['A', 'B'].map((name) => ({ name, local: '', example: '', about: 'x' }))
    const line = fc.constantFrom('A=1', 'B=2', '# A=1', '', 'C=3', 'export B=')
    fc.assert(
      fc.property(
        fc.array(line),
        fc.boolean(),
        fc.constantFrom('\n', '\r\n'),
        (lines, comments, eol) => {
          const text = lines.join(eol)
          const once = withVariables(text, variables, {}, comments)
          expect(once.startsWith(text)).toBe(true)
          expect(withVariables(once, variables, {}, comments)).toBe(once)
          expect(namesIn(once)).toEqual(new Set([...namesIn(text), 'A', 'B']))
        },
      ),
    )
  })
})

describe('.gitignore', () => {
  it.each<[string | undefined, string]>([
    [undefined, '.env\nmcp-oauth.db\nmcp-oauth.db-*\n'],
    ['node_modules', 'node_modules\n.env\nmcp-oauth.db\nmcp-oauth.db-*\n'],
    ['.env\n*.db\n*.db-*\n', '.env\n*.db\n*.db-*\n'],
    ['.env*\n', '.env*\nmcp-oauth.db\nmcp-oauth.db-*\n!.env.example\n'],
    ['.env\n!.env\n', '.env\n!.env\n.env\nmcp-oauth.db\nmcp-oauth.db-*\n'],
  ])('%j', (text, expected) => {
    const { after } = planned(text === undefined ? {} : { '.gitignore': text })
    expect(after('.gitignore')).toBe(expected)
  })

  it.each<[string, string, string, boolean]>([
    ['.env', '', '.env', true],
    ['.env', '', '.env.example', false],
    ['/.env', 'apps/mcp', '.env', false],
    ['/apps/mcp/.env', 'apps/mcp', '.env', true],
    ['apps/*/.env', 'apps/mcp', '.env', true],
    ['**/.env', 'apps/mcp', '.env', true],
    ['apps/', 'apps/mcp', '.env', true],
    ['.env/', '', '.env', false],
    ['.env*', '', '.env.local', true],
    ['.env?local', '', '.env.local', true],
    ['.env.[lp]*', '', '.env.local', true],
    ['# .env', '', '.env', false],
    ['\\.env', '', '.env', true],
    ['.env  ', '', '.env', true],
    ['a+(b', '', 'a+(b', true],
    ['[', '', '[', true],
    ['[z-a]', '', '.env', false],
    [`${'*'.repeat(60)}x`, '', 'mcp-oauth.db-wal', false],
  ])('%j below %j leaves %s out: %s', (text, below, path, expected) => {
    expect(isIgnored({ tracked: new Set(), ignores: [{ below, text }] }, path)).toBe(expected)
  })
})

describe('package.json', () => {
  it.each<[string, string]>([
    [
      '{\n  "dependencies": {\n    "a": "1",\n    "z": "1"\n  }\n}\n',
      '{\n  "dependencies": {\n    "a": "1",\n    "m": "^1",\n    "z": "1"\n  }\n}\n',
    ],
    [
      '{\n\t"dependencies": {\n\t\t"a": "1"\n\t}\n}\n',
      '{\n\t"dependencies": {\n\t\t"a": "1",\n\t\t"m": "^1"\n\t}\n}\n',
    ],
    [
      '{\n    "name": "x",\n    "dependencies": {}\n}',
      '{\n    "name": "x",\n    "dependencies": {\n        "m": "^1"\n    }\n}',
    ],
    ['{\n  "name": "x"\n}\n', '{\n  "name": "x",\n  "dependencies": {\n    "m": "^1"\n  }\n}\n'],
    [
      '{\r\n  "name": "x"\r\n}\r\n',
      '{\r\n  "name": "x",\r\n  "dependencies": {\r\n    "m": "^1"\r\n  }\r\n}\r\n',
    ],
    [
      '\uFEFF{\n  "scripts": { "dependencies": "a" },\n  "dependencies": {\n    "z": "1"\n  }\n}\n',
      '\uFEFF{\n  "scripts": { "dependencies": "a" },\n  "dependencies": {\n    "m": "^1",\n    "z": "1"\n  }\n}\n',
    ],
  ])('%j', (text, expected) => {
    expect(withDependencies(text, 'dependencies', { m: '^1' })).toBe(expected)
  })

  it('stays JSON, with all that it had', () => {
    const name = fc.constantFrom('a', 'm', 'z', '@a/b', 'zz')
    const value = fc.dictionary(name, fc.string({ maxLength: 5 }))
    const manifest = fc.record(
      { name: fc.string(), dependencies: value, x: fc.jsonValue() },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(manifest, fc.constantFrom(0, 2, '\t'), (json, indent) => {
        const had: object = json.dependencies ?? {}
        const wanted = Object.fromEntries(
          ['b', '@m/n'].filter((one) => !(one in had)).map((one) => [one, '^1']),
        )
        const after: unknown = JSON.parse(
          withDependencies(JSON.stringify(json, undefined, indent), 'dependencies', wanted),
        )
        expect(after).toEqual(
          JSON.parse(JSON.stringify({ ...json, dependencies: { ...had, ...wanted } })),
        )
      }),
    )
  })

  it('brings along the client of a store, and its types', () => {
    const files = filesOf({
      'package.json': manifestText({ express: '5.3.0' }),
      'tsconfig.json': '{}',
      'index.ts': APP,
    })
    const manifest: unknown = JSON.parse(
      fileAfter(files, planOf(files, { store: 'postgres' }), 'package.json'),
    )
    expect(manifest).toMatchObject({
      dependencies: { '@mcp-oauth/server': '^0.1.0', pg: expect.any(String) as string },
      devDependencies: { '@types/pg': expect.any(String) as string },
    })
  })
})

describe("git's index", () => {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-index-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', directory, ...args])

  it.each(['2', '3', '4'])('version %s: every path, as git has them', (version) => {
    rmSync(join(directory, '.git'), { recursive: true, force: true })
    git('init', '-q')
    const paths = ['.env', 'a', 'ab/c.ts', 'ab/cd.ts', 'größe.md', `${'long/'.repeat(40)}x`]
    for (const path of paths) {
      mkdirSync(join(directory, path, '..'), { recursive: true })
      writeFileSync(join(directory, path), path)
    }
    git('add', ...paths)
    git('add', '-N', 'a')
    git('update-index', '--index-version', version)
    expect(readIndex(readFileSync(join(directory, '.git/index')))).toEqual(new Set(paths))
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['of longer hashes', ['--object-format=sha256'], []],
    ['in two files', [], ['update-index', '--split-index']],
  ])('one %s is not taken for whole', (_, init, then) => {
    rmSync(join(directory, '.git'), { recursive: true, force: true })
    git('init', '-q', ...init)
    writeFileSync(join(directory, '.env'), 'A=1')
    git('add', '.env')
    if (then.length > 0) git(...then)
    expect(readIndex(readFileSync(join(directory, '.git/index')))).toBeUndefined()
  })

  it('anything else is not taken for one', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 5 }),
        (bytes, version) => {
          const head = Buffer.from(
            `DIRC\0\0\0${String.fromCharCode(version)}\0\0\0\u0003`,
            'latin1',
          )
          readIndex(bytes)
          readIndex(Buffer.concat([head, bytes]))
        },
      ),
    )
    expect(readIndex(Buffer.from('DIRC'))).toBeUndefined()
  })
})
