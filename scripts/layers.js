/**
 * The layer check: arrows between rooms point down, type imports included, there is no circle, and each
 * thing that reaches outside has one door.
 *
 * The tables below are the architecture. `node scripts/layers.js [src]` says what breaks them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

/** A room imports rooms of lower rows only. */
const ROWS = {
  crypto: 1,
  protocol: 2,
  http: 3,
  stores: 4,
  upstream: 5,
  guard: 5,
  adapters: 5,
  server: 6,
  gateway: 7,
  moving: 7,
  scaffold: 7,
  testing: 7,
  cli: 8,
}

/** The rows inside `server/`: its folders and, above them, its files. */
const SERVER_ROWS = {
  config: 1,
  clients: 2,
  tokens: 2,
  keys: 2,
  'sweep.ts': 2,
  consent: 3,
  grants: 3,
  connections: 4,
  endpoints: 5,
  admin: 5,
  'routes.ts': 6,
  'failure.ts': 7,
  'router.ts': 8,
  'protected_call.ts': 8,
  'server.ts': 9,
  'first_use.ts': 10,
}

/** What `server/` may see of the rooms that have drivers: their interfaces. */
const INTERFACES = {
  stores: ['store.ts', 'records.ts', 'change.ts'],
  upstream: ['upstream.ts'],
}

/** Words that only these files may use; `*` stands for any file of a folder. */
const DOORS = [
  door('the environment', /\bprocess\.env\b/, [
    'gateway/settings.ts',
    'cli/*',
    // Texts, for other people's code.
    'scaffold/auth_module.ts',
    'scaffold/next_files.ts',
    'scaffold/store_choice.ts',
  ]),
  door('the clock', /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, [
    'server/server.ts',
    'upstream/clock.ts',
    'gateway/calls.ts',
    'gateway/log.ts',
    'cli/clock.ts',
  ]),
  door('randomness', /\bMath\.random\(|\bgetRandomValues\(|\brandomUUID\(/, ['crypto/random.ts']),
  door('console', /\bconsole\.\w/, [
    'cli/*',
    'server/config/trouble.ts',
    // A text and the host of a URL.
    'scaffold/store_choice.ts',
    'scaffold/upstream_choice.ts',
  ]),
  door('Fetch', /(?:await|return|=>|[=(,?:])\s*fetch\(|\bglobalThis\.fetch/, [
    'http/exchange_fetch.ts',
  ]),
]

/** Packages that only these files may import. A package in no row may not be imported at all. */
const PACKAGES = {
  jose: ['crypto/jwt.ts'],
  oauth4webapi: ['upstream/oauth2.ts'],
  valibot: ['protocol/*'],
  'http-cache-semantics': ['server/clients/freshness.ts'],
  'ipaddr.js': ['http/address.ts'],
  'cloudflare:workers': ['http/runtime.ts'],
  undici: ['gateway/backend.ts', 'gateway/proxy.ts'],
  libsql: ['stores/sqlite_database.ts'],
  pg: ['gateway/open_store.ts'],
  ioredis: ['gateway/open_store.ts'],
}

/** Node's own modules that reach outside or guard a secret. The others are free. */
const MODULES = {
  'node:http': ['http/exchange.ts', 'http/kept_fetch.ts', 'adapters/*', 'gateway/*'],
  'node:https': ['http/exchange.ts', 'http/kept_fetch.ts'],
  'node:net': ['http/*', 'gateway/*', 'server/config/*'],
  'node:tls': ['http/exchange.ts'],
  'node:dns': [],
  'node:dns/promises': ['http/resolve_host.ts'],
  'node:crypto': ['crypto/*'],
  'node:fs': ['stores/*', 'cli/*'],
  'node:fs/promises': ['stores/*', 'gateway/config_file.ts', 'gateway/judge.ts'],
  'node:sqlite': ['stores/sqlite_database.ts'],
  'node:child_process': [],
  'node:vm': [],
}

const VAGUE = /^(utils?|helpers?|common|misc|shared|lib)$/

function door(what, pattern, files) {
  return { what, pattern, files }
}

/** Every breach in the tree at `src`, as lines that name the file and the rule; empty when there is none. */
function findBreaches(src) {
  const files = sourceFiles(src)
  const imports = new Map(files.map((file) => [file, importsOf(src, file)]))
  return [
    ...files.flatMap((file) => [
      ...vagueNames(file),
      ...openDoors(src, file),
      ...imports.get(file).flatMap((target) => breachOf(file, target)),
    ]),
    ...circles(imports),
  ]
}

function sourceFiles(src) {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
}

/** Comments are prose: what they mention is no import and no use. Strings stay, as imports stand in them. */
function code(src, file) {
  return readFileSync(join(src, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[\s;{(,])\/\/.*$/gm, '$1')
}

/** What a file imports: paths below `src` for files, names for packages. */
function importsOf(src, file) {
  const text = code(src, file)
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\b(?:import|require|getBuiltinModule)\(\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/\bcreateRequire\([^()]*\)\(\s*['"]([^'"]+)['"]/g),
  ]
  // A template of code for others names what only they know.
  const names = found.map(([, name]) => name).filter((name) => !name.startsWith('${'))
  return names.map((name) =>
    name.startsWith('.') ? posix(relative(src, resolve(src, dirname(file), name))) : name,
  )
}

function posix(path) {
  return path.replaceAll('\\', '/')
}

function breachOf(file, target) {
  if (!target.endsWith('.ts')) return strangers(file, target)
  if (target.startsWith('..')) return [`${file} imports ${target}, which is outside src`]
  const from = roomOf(file)
  const to = roomOf(target)
  // A door only hands out names.
  if (from === undefined) return []
  if (to === undefined) return [`${file} imports the door ${target}; doors are for the outside`]
  if (ROWS[from] === undefined) return [`${file} is in a room that the table does not know`]
  if (from === to) return from === 'server' ? insideServer(file, target) : []
  if (!(ROWS[to] < ROWS[from])) return [`${file} imports ${target}; arrows point down`]
  return driverSeen(from, to, file, target)
}

function roomOf(file) {
  return file.includes('/') ? file.split('/')[0] : undefined
}

function driverSeen(from, to, file, target) {
  if (from !== 'server' || INTERFACES[to] === undefined) return []
  if (INTERFACES[to].includes(basename(target))) return []
  return [`${file} imports ${target}; server/ sees only ${INTERFACES[to].join(' and ')} of ${to}/`]
}

function insideServer(file, target) {
  const [, from] = file.split('/')
  const [, to] = target.split('/')
  if (SERVER_ROWS[from] === undefined) return [`${file} is in a room that the table does not know`]
  if (from === 'endpoints' && to === 'endpoints') {
    return [`${file} imports ${target}; no endpoint imports an endpoint`]
  }
  if (from === to || SERVER_ROWS[to] < SERVER_ROWS[from]) return []
  return [`${file} imports ${target}; arrows inside server/ point down`]
}

/** Packages and Node's modules. */
function strangers(file, name) {
  const allowed = name.startsWith('node:') ? (MODULES[name] ?? ['*']) : PACKAGES[packageOf(name)]
  if (allowed === undefined) return [`${file} imports ${name}, which no file may`]
  if (allowed.some((pattern) => matches(file, pattern))) return []
  return [`${file} imports ${name}; its door is ${allowed.join(', ') || 'nowhere'}`]
}

function packageOf(name) {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}

function matches(file, pattern) {
  return pattern.endsWith('*') ? file.startsWith(pattern.slice(0, -1)) : file === pattern
}

function openDoors(src, file) {
  const text = code(src, file)
  return DOORS.filter(({ pattern }) => pattern.test(text))
    .filter(({ files }) => !files.some((allowed) => matches(file, allowed)))
    .map(({ what, files }) => `${file} uses ${what}; its door is ${files.join(', ') || 'nowhere'}`)
}

function vagueNames(file) {
  const vague = file.split('/').find((part) => VAGUE.test(part.replace(/\.ts$/, '')))
  return vague === undefined ? [] : [`${file} is named ${vague}, which says nothing`]
}

/** Each circle once, told from the file that comes first in it. */
function circles(imports) {
  const done = new Set()
  const found = []
  function walk(file, path) {
    const at = path.indexOf(file)
    if (at >= 0) return void found.push(`${[...path.slice(at), file].join(' → ')} is a circle`)
    if (done.has(file)) return
    for (const target of imports.get(file) ?? []) walk(target, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  return found
}

const src = resolve(process.argv[2] ?? join(import.meta.dirname, '../src'))
const breaches = findBreaches(src)
for (const breach of breaches) process.stderr.write(`✗ ${breach}\n`)
if (breaches.length > 0) process.exitCode = 1
else process.stdout.write('The layers hold.\n')
