/**
 * What the documents show is true: TypeScript compiles against the package as it is published, the
 * program of the README runs, links lead somewhere, and commands exist.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'

const ROOT = resolve(import.meta.dirname, '../..')
// Inside the package, so that its own name is found; ignored by git and by every check.
const DIRECTORY = join(ROOT, '.data', `docs-${process.pid}`)

const DOCUMENTS: readonly string[] = [
  ...readdirSync(ROOT),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('docs', name),
  ),
].filter((name) => name.endsWith('.md'))

/** What a fragment of a document leaves to its reader. */
const PRELUDES: Readonly<{ [document: string]: string }> = {
  'docs/storage.md': `import type { Store } from '@mcp-oauth/server'
declare function myStore(database: object): Store
declare function freshDatabase(): object
`,
}

// Node 22 says of its own SQLite that it is experimental.
const QUIET = '--disable-warning=ExperimentalWarning'

const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: 'nodenext',
  target: 'es2023',
  types: ['node'],
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8')
}

function blocks(document: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...read(document).matchAll(fence)].map(([, text]) => text ?? '')
}

/** Waits until what runs there answers. */
async function untilAnswers(url: string, ended: () => boolean): Promise<Response> {
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer !== undefined) return answer
    if (ended()) throw new Error('it ended')
    await new Promise((next) => setTimeout(next, 20))
  }
}

beforeAll(() => {
  mkdirSync(DIRECTORY, { recursive: true })
  const build = `await (await import('./scripts/set_up.js')).build()`
  spawnSync(process.execPath, ['--input-type=module', '-e', build], { cwd: ROOT })
})
afterAll(() => rmSync(DIRECTORY, { recursive: true, force: true }))

describe('code in the documents', () => {
  it('TypeScript compiles', () => {
    let written = 0
    for (const document of DOCUMENTS) {
      for (const text of blocks(document, 'ts')) {
        const path = join(DIRECTORY, `${(written += 1)}.mts`)
        writeFileSync(path, `// ${document}\n${PRELUDES[document] ?? ''}${text}`)
      }
    }
    writeFileSync(
      join(DIRECTORY, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.mts'] }),
    )
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', DIRECTORY], { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(written).toBeGreaterThan(0)
  })

  it('the program of the README runs', async () => {
    for (const text of blocks('README.md', 'js')) {
      const [, name] = /^\/\/ (\S+)/.exec(text) ?? []
      // 3000 may be taken on the machine of whoever runs this.
      writeFileSync(join(DIRECTORY, name ?? ''), text.replaceAll('3000', '13117'))
    }
    const child = spawn(process.execPath, [QUIET, join(DIRECTORY, 'server.mjs')], {
      cwd: DIRECTORY,
      env: {
        ...process.env,
        GITHUB_CLIENT_ID: 'id',
        GITHUB_CLIENT_SECRET: 's',
        MCP_OAUTH_KEYS: generateKey(),
      },
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const url = 'http://localhost:13117'
    try {
      const metadata = await untilAnswers(
        `${url}/.well-known/oauth-authorization-server`,
        () => child.exitCode !== null,
      )
      expect(await metadata.json()).toMatchObject({ issuer: url })
      const call = await fetch(`${url}/mcp`, { method: 'POST', body: '{}' })
      expect(call.status).toBe(401)
      expect(call.headers.get('www-authenticate')).toContain('resource_metadata=')
    } finally {
      child.kill()
      await once(child, 'close')
    }
    expect(said).toBe('')
  })

  it('the program of the README has no more than fifteen lines of code', () => {
    const [program = ''] = blocks('README.md', 'js')
    const lines = program.split('\n').filter((line) => line !== '' && !line.startsWith('//'))
    expect(lines.length).toBeLessThanOrEqual(15)
  })

  it('a fault in the options is told to whoever runs it without them', () => {
    const { stderr, status } = spawnSync(process.execPath, [join(DIRECTORY, 'server.mjs')], {
      cwd: DIRECTORY,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    })
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/keys|client_id/)
  })
})

describe('links and commands in the documents', () => {
  it.each(DOCUMENTS)('%s', (document) => {
    const text = read(document)
    const here = dirname(join(ROOT, document))
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      expect(existsSync(resolve(here, link)), link).toBe(true)
    }
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object }
    for (const [, name = ''] of text.matchAll(/npm run ([a-z]+)/g)) {
      expect(Object.keys(scripts)).toContain(name)
    }
    for (const [, path = ''] of text.matchAll(/node (scripts\/[\w.]+)/g)) {
      expect(existsSync(join(ROOT, path)), path).toBe(true)
    }
  })
})
