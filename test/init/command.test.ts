/** The command over real directories, hostile ones among them. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { init } from '../../src/cli/init.ts'
import type { Answerer } from '../../src/cli/init_questions.ts'
import { buildOnce } from '../support/build.ts'
import { manifestText, type Texts } from './support.ts'

const APP = `import express from 'express';
const app = express();
app.post('/mcp', (req, res) => transport.handleRequest(req, res, req.body));
app.listen(3000);
`
const PROJECT: Texts = { 'package.json': manifestText({ express: '5.3.0' }), 'src/index.js': APP }
const made: string[] = []

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

function place(texts: Texts): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-init-'))
  made.push(directory)
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

/** Every file below, links and their targets as text. */
function contents(directory: string): Texts {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('/.git'))
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(directory.length + 1), readFileSync(path, 'utf8')]
    }),
  )
}

async function run(directory: string, flags: readonly string[], answers?: readonly string[]) {
  const said: string[] = []
  const faults: string[] = []
  let out = ''
  const terminal = {
    out: (text: string) => void (out += text),
    tell: (line: string) => void said.push(line),
    fault: (line: string) => void faults.push(line),
  }
  const person = answers === undefined ? undefined : answering([...answers])
  const status = await init(flags, terminal, directory, () => person)
  return {
    status,
    out,
    said: said.join('\n'),
    faults: faults.join('\n'),
    asked: person?.asked ?? [],
  }
}

function answering(answers: string[]): Answerer & { asked: string[] } {
  const asked: string[] = []
  const next = (question: string) => {
    asked.push(question)
    const answer = answers.shift()
    if (answer === undefined) throw new Error(`not expected: ${question}`)
    return answer
  }
  return {
    asked,
    ask: (question, fallback) => Promise.resolve(next(question) || fallback),
    confirm: (question) => Promise.resolve(next(question) === 'y'),
    close: () => {},
  }
}

describe('what it writes', () => {
  it('is what it shows: git makes the one directory of the other', async () => {
    const [shown, written] = [place(PROJECT), place(PROJECT)]
    const { out, status } = await run(shown, ['--dry-run'])
    expect(status).toBe(0)
    expect(contents(shown)).toEqual(PROJECT)
    expect((await run(written, ['--yes'])).status).toBe(0)
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() }
    execFileSync('git', ['apply', '-'], { cwd: shown, input: out, env })
    const key = /mok_[\w-]{43}/
    const after = contents(written)
    expect(after['.env']).toMatch(key)
    expect({ ...after, '.env': after['.env']?.replace(key, '<a new key>') }).toEqual(
      contents(shown),
    )
  })

  it('a key is told nowhere but in the file, which is its owner’s alone', async () => {
    const directory = place(PROJECT)
    const { out, said, faults } = await run(directory, ['--yes'])
    expect(out + said + faults).not.toMatch(/mok_/)
    expect(statSync(join(directory, '.env')).mode & 0o777).toBe(0o600)
  })

  it.each(['DATABASE_URL=postgres://u:hunter2@db/x\nSTRIPE_SECRET=hunter2\n', 'SECRET=hunter2'])(
    'shows none of the secrets that are there: %j',
    async (env) => {
      const directory = place({ ...PROJECT, '.env': env })
      const { out, said, faults } = await run(directory, ['--yes'])
      expect(out).toContain('+++ b/.env\n')
      expect(out).toContain('+MCP_OAUTH_KEYS=<a new key>')
      expect(out + said + faults).not.toContain('hunter2')
      expect(contents(directory)['.env']).toContain(env)
    },
  )

  it('a file keeps its mode', async () => {
    const directory = place(PROJECT)
    chmodSync(join(directory, 'src/index.js'), 0o755)
    await run(directory, ['--yes'])
    expect(statSync(join(directory, 'src/index.js')).mode & 0o777).toBe(0o755)
  })

  it('run again, it writes nothing, and says so', async () => {
    const directory = place(PROJECT)
    await run(directory, ['--yes'])
    const before = contents(directory)
    const again = await run(directory, ['--yes', '--upstream', 'google', '--store', 'memory'])
    expect([again.status, again.out]).toEqual([0, ''])
    expect(again.said).toContain('All is done.')
    expect(contents(directory)).toEqual(before)
  })

  it('what is deleted is made again, and nothing else', async () => {
    const directory = place(PROJECT)
    await run(directory, ['--yes'])
    const before = contents(directory)
    for (const path of ['.env.example', '.gitignore', 'src/mcp_oauth.js']) {
      rmSync(join(directory, path))
      expect((await run(directory, ['--yes'])).status).toBe(0)
      expect(contents(directory)).toEqual(before)
    }
  })

  it('a file of another content is left, told of with what to do, and the status is 1', async () => {
    const directory = place({ ...PROJECT, 'src/mcp_oauth.js': 'export {}\n' })
    const { status, faults, said } = await run(directory, ['--yes'])
    expect(status).toBe(1)
    expect(faults).toContain('src/mcp_oauth.js is there already')
    expect(said).toContain('createMcpOAuth({')
    expect(contents(directory)).toEqual({ ...PROJECT, 'src/mcp_oauth.js': 'export {}\n' })
  })

  it('an edit that is left to people is 3, and names the lines', async () => {
    const directory = place({ ...PROJECT, 'src/index.js': APP.replace("'/mcp'", 'path') })
    const { status, said } = await run(directory, ['--yes'])
    expect(status).toBe(3)
    expect(said).toContain(`    app.use('/mcp', protectExpress(auth));`)
    expect(existsSync(join(directory, 'src/mcp_oauth.js'))).toBe(true)
    const told = await run(directory, ['--yes', '--resource-path', '/mcp'])
    expect([told.status, told.said]).toEqual([0, expect.stringContaining('is taken to be /mcp')])
  })

  it('the login of the app itself is left to its author, until it is said', async () => {
    const directory = place(PROJECT)
    expect((await run(directory, ['--yes', '--upstream', 'session'])).status).toBe(3)
    const module = join(directory, 'src/mcp_oauth.js')
    expect((await run(directory, ['--yes'])).status).toBe(3)
    writeFileSync(
      module,
      readFileSync(module, 'utf8').replace(/throw new Error\(.*\);/, 'return undefined;'),
    )
    expect((await run(directory, ['--yes'])).status).toBe(0)
  })
})

describe('a person', () => {
  it('is asked where users sign in, sees the difference, and says yes', async () => {
    const directory = place(PROJECT)
    const { status, asked, out } = await run(directory, [], ['gogle', 'google', 'y'])
    expect([status, asked.length]).toEqual([0, 3])
    expect(out).toContain('+import { google }')
    expect(contents(directory)['src/mcp_oauth.js']).toContain(
      'google({ client_id, client_secret })',
    )
  })

  it('says no, and nothing is written', async () => {
    const directory = place(PROJECT)
    const { said } = await run(directory, ['--upstream', 'github'], ['n'])
    expect(said).toContain('Nothing was written.')
    expect(contents(directory)).toEqual(PROJECT)
  })

  it('is asked before a file is overwritten', async () => {
    for (const answer of ['y', 'n']) {
      const directory = place({ ...PROJECT, 'src/mcp_oauth.js': 'export {}\n' })
      const { asked, status } = await run(directory, ['--upstream', 'github'], [answer, 'y'])
      expect(asked[0]).toContain('Overwrite it?')
      expect(status).toBe(answer === 'y' ? 0 : 1)
      const text = contents(directory)['src/mcp_oauth.js'] ?? ''
      expect(text.includes('createMcpOAuth')).toBe(answer === 'y')
      const app = contents(directory)['src/index.js'] ?? ''
      expect(app.includes('toExpressHandler')).toBe(answer === 'y')
    }
  })

  it('is not there: nothing is done', async () => {
    const directory = place(PROJECT)
    const { status, faults } = await run(directory, [])
    expect([status, faults]).toEqual([2, expect.stringContaining('use --yes')])
    expect(contents(directory)).toEqual(PROJECT)
  })
})

describe('what is typed wrong is 2', () => {
  it.each<[readonly string[], RegExp]>([
    [['--yess'], /did you mean --yes\?/],
    [['here'], /takes flags only/],
    [['--yes', '--store', 'mysql'], /sqlite, postgres, redis, upstash, memory/],
    [['--yes', '--upstream', 'gogle'], /github/],
    [['--yes', '--upstream', 'auth0'], /https:\/\/TENANT\.auth0\.com/],
    [['--yes', '--upstream', "https://a.example/'+x+'"], /issuer URL/],
    [['--yes', '--upstream', 'https://a.example/\n'], /issuer URL/],
    [['--yes', '--port', '0'], /--port/],
    [['--yes', '--port', '1e3'], /--port/],
    [['--yes', '--issuer', "https://a.example/'"], /--issuer/],
    [['--yes', '--issuer', 'https://a.example/?q'], /--issuer/],
    [['--yes', '--resource-path', 'mcp'], /--resource-path/],
    [['--yes', '--resource-path', "/m'cp"], /--resource-path/],
    [['--yes', '--resource-path', '/:id'], /--resource-path/],
  ])('%j', async (flags, fault) => {
    const directory = place(PROJECT)
    const { status, faults } = await run(directory, flags)
    expect(status).toBe(2)
    expect(faults).toMatch(fault)
    expect(contents(directory)).toEqual(PROJECT)
  })

  it('--help tells every flag and each status', async () => {
    const { status, out } = await run(place({}), ['--help'])
    expect(status).toBe(0)
    expect(out).toMatch(
      /--yes[^]*--dry-run[^]*--upstream[^]*--store[^]*--resource-path[^]*--entry[^]*--issuer[^]*--port[^]*Exit status: 0[^]* 1 [^]* 2 [^]*3 /,
    )
  })
})

describe('where nothing is right to do, nothing is done', () => {
  it.each<[string, Texts, readonly string[], RegExp]>([
    ['no package.json', { 'src/index.js': APP }, [], /npm init/],
    ['no JSON', { 'package.json': '{' }, [], /not a JSON object/],
    ['a list', { 'package.json': '[]' }, [], /not a JSON object/],
    [
      'the root of a workspace',
      {
        'package.json': manifestText({}, { workspaces: ['apps/*'] }),
        'apps/web/package.json': '{}',
        'apps/web/src/index.js': APP,
      },
      [],
      /directory of the package/,
    ],
    [
      'the root of a pnpm workspace',
      { 'package.json': manifestText({}), 'pnpm-workspace.yaml': 'packages: []' },
      [],
      /directory of the package/,
    ],
    [
      'stdio',
      { 'package.json': manifestText({}), 'index.js': 'new StdioServerTransport()' },
      [],
      /over stdio, where nobody signs in/,
    ],
    [
      'Nuxt',
      { 'package.json': manifestText({ nuxt: '4' }), 'server/mcp.ts': 'handler' },
      [],
      /SKILL\.md/,
    ],
    [
      'Next.js without an app',
      { 'package.json': manifestText({ next: '16' }), 'pages/index.js': '' },
      [],
      /app directory/,
    ],
    [
      'the package itself',
      { 'package.json': manifestText({}, { name: '@mcp-oauth/server' }) },
      [],
      /the package itself/,
    ],
    ['Workers', { ...PROJECT, 'wrangler.jsonc': '{}' }, [], /references\/fetch\.md/],
    ['a file that is not there', PROJECT, ['--entry', 'src/main.js'], /no file src\/main\.js/],
    ['a file outside', PROJECT, ['--entry', '../index.js'], /no file \.\.\/index\.js/],
  ])('%s', async (_, texts, flags, fault) => {
    const directory = place(texts)
    const { status, faults } = await run(directory, ['--yes', ...flags])
    expect([status, faults]).toEqual([1, expect.stringMatching(fault)])
    expect(contents(directory)).toEqual(texts)
  })
})

describe('hostile directories', () => {
  it.each<[string, string]>([
    ['the file itself', 'src/index.js'],
    ['the environment', '.env'],
    ['the example', '.env.example'],
    ['the ignore file', '.gitignore'],
    ['the module', 'src/mcp_oauth.js'],
    ['the folder', 'src'],
    ['the manifest', 'package.json'],
  ])('a link out of the project is not followed: %s', async (_, path) => {
    const outside = place({ 'file.js': APP, 'index.js': APP })
    const { [path]: __, ...rest } = PROJECT
    const texts = path === 'src' ? { 'package.json': manifestText({ express: '5.3.0' }) } : rest
    const directory = place(texts)
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    symlinkSync(path === 'src' ? outside : join(outside, 'file.js'), join(directory, path))
    const { status } = await run(directory, ['--yes'])
    expect(status).not.toBe(0)
    expect(contents(outside)).toEqual({ 'file.js': APP, 'index.js': APP })
    expect(lstatSync(join(directory, path)).isSymbolicLink()).toBe(true)
  })

  it('a folder of Next.js that is a link is not followed', async () => {
    const outside = place({ 'x/y.ts': '' })
    const directory = place({
      'package.json': manifestText({ next: '16.4.5', 'mcp-handler': '2.4.0' }),
      'app/mcp/route.ts':
        "import { createMcpHandler } from 'mcp-handler';\nconst handler = createMcpHandler(f);\nexport { handler as POST };\n",
    })
    symlinkSync(outside, join(directory, 'lib'))
    const before = contents(directory)
    const { status, faults } = await run(directory, ['--yes'])
    expect([status, faults]).toEqual([1, expect.stringContaining('lib is a link')])
    expect(readdirSync(outside)).toEqual(['x'])
    expect(contents(directory)).toEqual(before)
  })

  it('more code than is held at once is not read', async () => {
    const directory = place(PROJECT)
    for (let file = 0; file < 64; file += 1) {
      const path = join(directory, `${file}.js`)
      writeFileSync(path, '')
      truncateSync(path, 1024 * 1024)
    }
    await expect(run(directory, ['--yes'])).rejects.toThrow('more than 64 MiB of code are here')
    expect(existsSync(join(directory, 'src/mcp_oauth.js'))).toBe(false)
  })

  it('large, binary and strangely encoded files are left alone', async () => {
    const directory = place({ ...PROJECT, 'src/large.js': `${APP}//${'x'.repeat(2_000_000)}` })
    writeFileSync(join(directory, 'src/binary.js'), Buffer.from([0xff, 0xfe, 0x00]))
    writeFileSync(join(directory, 'src/latin1.js'), Buffer.from(`${APP}// \xe4`, 'latin1'))
    expect((await run(directory, ['--yes'])).status).toBe(0)
  })

  it('an environment file in another encoding is left alone', async () => {
    const directory = place(PROJECT)
    const bytes = Buffer.from('A=\xe4\n', 'latin1')
    writeFileSync(join(directory, '.env'), bytes)
    const { status, said } = await run(directory, ['--yes'])
    expect([status, said]).toEqual([3, expect.stringContaining('.env is not in UTF-8')])
    expect(readFileSync(join(directory, '.env'))).toEqual(bytes)
  })

  it('a secret does not go into a file that git tracks, in a repository above as well', async () => {
    const root = place({ 'apps/mcp/.env': 'A=1\n', ...prefixed(PROJECT, 'apps/mcp/') })
    execFileSync('git', ['-C', root, 'init', '-q'])
    execFileSync('git', ['-C', root, 'add', 'apps/mcp/.env'])
    const directory = join(root, 'apps/mcp')
    const { status, said } = await run(directory, ['--yes'])
    expect([status, said]).toEqual([3, expect.stringContaining('.env is tracked by git')])
    expect(readFileSync(join(directory, '.env'), 'utf8')).toBe('A=1\n')
  })

  it('a secret does not go into a file that git may track: an index of another format', async () => {
    const directory = place({ ...PROJECT, '.env': 'A=1\n' })
    execFileSync('git', ['-C', directory, 'init', '-q', '--object-format=sha256'])
    execFileSync('git', ['-C', directory, 'add', '.env'])
    const { status, said } = await run(directory, ['--yes'])
    expect([status, said]).toEqual([3, expect.stringContaining('.env is tracked by git')])
    expect(readFileSync(join(directory, '.env'), 'utf8')).toBe('A=1\n')
  })

  it('what the repository above ignores is not ignored twice', async () => {
    const root = place({ '.gitignore': '.env\n*.db\n*.db-*\n', ...prefixed(PROJECT, 'apps/mcp/') })
    execFileSync('git', ['-C', root, 'init', '-q'])
    await run(join(root, 'apps/mcp'), ['--yes'])
    expect(existsSync(join(root, 'apps/mcp/.gitignore'))).toBe(false)
    const above = place({ '.gitignore': '.env\n', ...prefixed(PROJECT, 'apps/mcp/') })
    await run(join(above, 'apps/mcp'), ['--yes'])
    expect(readFileSync(join(above, 'apps/mcp/.gitignore'), 'utf8')).toContain('.env\n')
  })

  it('the package manager is that of the workspace above', async () => {
    const root = place({ 'pnpm-lock.yaml': '', ...prefixed(PROJECT, 'apps/mcp/') })
    execFileSync('git', ['-C', root, 'init', '-q'])
    const { said } = await run(join(root, 'apps/mcp'), ['--yes', '--entry', './src/index.js'])
    expect(said).toContain('pnpm install, then ')
  })

  it('commands to the terminal in a file are not passed on', async () => {
    const directory = place({
      ...PROJECT,
      'src/index.js': `// \u001b]0;owned\u0007 \u202e\n${APP}`,
    })
    const { out } = await run(directory, ['--dry-run'])
    expect(out).toContain('+app.use(toExpressHandler(auth));')
    for (const sign of ['\u001b', '\u0007', '\u202e']) expect(out).not.toContain(sign)
    const named = place({ 'package.json': PROJECT['package.json'] ?? '', '\u001b[8mindex.js': APP })
    const { said, faults } = await run(named, ['--yes'])
    expect(said).toContain('[8mindex.js')
    expect(said + faults).not.toContain('\u001b')
  })

  it('what may not be written is told before anything is', async () => {
    const directory = place(PROJECT)
    chmodSync(directory, 0o755)
    chmodSync(join(directory, 'src'), 0o555)
    // The administrator may write everything, so somebody else tries.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const main = join(await buildOnce(), 'cli/main.js')
    const ran = spawnSync(process.execPath, [main, 'init', '--yes'], {
      cwd: directory,
      encoding: 'utf8',
      ...nobody,
    })
    chmodSync(join(directory, 'src'), 0o755)
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('may not write')])
    expect(contents(directory)).toEqual(PROJECT)
  })

  it('a file where a folder would be is told before anything is written', async () => {
    const texts = {
      'package.json': manifestText({ next: '16.4.5', 'mcp-handler': '2.4.0' }),
      'app/page.js': '',
      lib: 'no folder',
    }
    const directory = place(texts)
    const { status, faults } = await run(directory, ['--yes'])
    expect([status, faults]).toEqual([1, expect.stringContaining('lib is no directory')])
    expect(contents(directory)).toEqual(texts)
  })

  it('a directory where a file would be is told before anything is written', async () => {
    const directory = place(PROJECT)
    mkdirSync(join(directory, 'src/mcp_oauth.js'))
    const { status } = await run(directory, ['--yes'])
    expect(status).toBe(1)
    expect(contents(directory)).toEqual(PROJECT)
  })

  it.each([
    ['paths that are names', 'express', APP, () => 'app.get(X);\n'],
    ['constants of one name', 'express', APP, () => 'const X = 1; app.get(X);\n'],
    [
      'objects that fetch',
      'hono',
      `import { Hono } from 'hono';\nconst app = new Hono();\napp.post('/mcp', h);\n`,
      (index: number) => `o${index}.fetch();\n`,
    ],
  ])('a large file of %s takes seconds, and no more', async (_, framework, app, line) => {
    const lines = Array.from({ length: 30_000 }, (__, index) => line(index))
    const directory = place({
      'package.json': manifestText({ [framework]: '1' }),
      'index.js': `${app}${lines.join('')}`,
    })
    const started = process.hrtime.bigint()
    await run(directory, ['--dry-run'])
    expect(Number(process.hrtime.bigint() - started) / 1e9).toBeLessThan(10)
  })

  it('a large file of brackets takes seconds, and no more', async () => {
    const started = process.hrtime.bigint()
    for (const unit of [
      'app.post(',
      'app(,',
      '=>{',
      '`${',
      '/[',
      "import 'a';",
      'const app = express()\n',
      'process.env',
      'exports ',
    ]) {
      const directory = place({
        ...PROJECT,
        'src/odd.js': `// mcp\n${unit.repeat(200_000 / unit.length)}`,
      })
      await run(directory, ['--dry-run'])
    }
    expect(Number(process.hrtime.bigint() - started) / 1e9).toBeLessThan(25)
  })
})

function prefixed(texts: Texts, prefix: string): Texts {
  return Object.fromEntries(Object.entries(texts).map(([path, text]) => [`${prefix}${path}`, text]))
}
