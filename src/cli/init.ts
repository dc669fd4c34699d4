/**
 * `mcp-oauth init`: puts sign-in into the server that is here.
 */
import { realpathSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import { generateKey } from '../crypto/keyring.ts'
import type { Code } from '../scaffold/code.ts'
import { namesReadBy } from '../scaffold/env_file.ts'
import { makePlan } from '../scaffold/plan.ts'
import { readManifest, type ProjectFiles } from '../scaffold/project.ts'
import { findAuthModule, recognise, type Recognition } from '../scaffold/recognise.ts'
import { isStore } from '../scaffold/store_choice.ts'
import {
  readUpstream,
  upstreamOfEnvironment,
  type UpstreamChoice,
} from '../scaffold/upstream_choice.ts'
import { foundWords } from '../scaffold/words.ts'
import { INIT_HELP, judgeFlags, readFlags, type Flags } from './init_flags.ts'
import { createAnswerer, type Answerer } from './init_questions.ts'
import { carryOut } from './init_writes.ts'
import { readProject } from './project_disk.ts'
import { legible, type Terminal } from './terminal.ts'
import { version } from './version.ts'

/** @returns the exit status. */
export async function init(
  args: readonly string[],
  terminal: Terminal,
  directory: string = process.cwd(),
  answerer: () => Answerer | undefined = createAnswerer,
): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(INIT_HELP)
    return 0
  }
  const flags = readFlags(args)
  const faults = typeof flags === 'string' ? [flags] : judgeFlags(flags)
  for (const fault of faults) terminal.fault(fault)
  if (typeof flags === 'string' || faults.length > 0) return 2
  const silent = flags.yes === true || flags['dry-run'] === true
  const person = silent ? undefined : answerer()
  if (person === undefined && !silent) {
    terminal.fault('nobody is here to be asked: use --yes, or --dry-run to see what it would do')
    return 2
  }
  try {
    return await initAt(realpathSync(directory), flags, legible(terminal), person)
  } finally {
    person?.close()
  }
}

async function initAt(
  root: string,
  flags: Flags,
  terminal: Terminal,
  person: Answerer | undefined,
): Promise<number> {
  const files = readProject(root)
  const text = files.texts.get('package.json')
  const manifest = text === undefined ? undefined : readManifest(text)
  if (manifest === undefined) {
    terminal.fault(missingManifest(files, text !== undefined))
    return 1
  }
  const entry = flags.entry === undefined ? undefined : pathIn(root, flags.entry)
  const recognition = recognise(files, manifest, entry)
  const fault = unfit(files, recognition, entry)
  if (fault !== undefined) {
    terminal.fault(fault)
    return 1
  }
  terminal.tell(foundWords(recognition))
  const module = findAuthModule(files)
  const upstream =
    module === undefined
      ? await chooseUpstream(flags.upstream, recognition, terminal, person)
      : upstreamOfModule(module.code, recognition)
  const store = storeOf(flags.store, recognition)
  terminal.tell(
    module === undefined
      ? `Users sign in at ${upstream.title}; who is signed in is kept in ${store}.\n`
      : `${module.path} is there already, and says where users sign in and what keeps them.\n`,
  )
  const plan = makePlan(files, recognition, {
    upstream,
    store,
    resourcePath: flags['resource-path'],
    issuer: flags.issuer,
    port: flags.port === undefined ? undefined : Number(flags.port),
    key: generateKey(),
    version: version(),
  })
  return await carryOut({
    root,
    files,
    recognition,
    upstream,
    plan,
    dryRun: flags['dry-run'] === true,
    terminal,
    person,
  })
}

/** As the files of a project are named. */
function pathIn(root: string, path: string): string {
  return relative(root, resolve(root, path)).replaceAll(sep, '/')
}

function missingManifest({ others }: ProjectFiles, isThere: boolean): string {
  if (isThere) return 'package.json is not a JSON object'
  const why = others.get('package.json')
  if (why !== undefined) return `package.json ${why}`
  return 'there is no package.json here: run it in the directory of your server, or begin one with `npm init`. A server in another language stays as it is, behind `mcp-oauth gateway`'
}

/** What people have of the documents, once the package is installed. */
const GUIDES = 'node_modules/@mcp-oauth/server/skills/mcp-oauth'

/** Projects in which nothing is right to do. */
function unfit(
  files: ProjectFiles,
  { place, manifest }: Recognition,
  entry: string | undefined,
): string | undefined {
  if (entry !== undefined && !files.texts.has(entry))
    return `there is no file ${entry} here to read`
  if (manifest.name === '@mcp-oauth/server') return 'this is the package itself'
  if ([...files.others.keys()].some((path) => path.startsWith('wrangler.'))) {
    return `this runs on Cloudflare Workers, where sign-in is put in by hand: ${GUIDES}/references/fetch.md says how`
  }
  const isWorkspace = manifest.workspaces || files.others.has('pnpm-workspace.yaml')
  if (isWorkspace && place.site === undefined) {
    return `this is the root of a workspace: run it in the directory of the package that is the server${packagesBelow(files)}`
  }
  if (place.kind === 'node' && place.site === undefined && !makesServer(files)) {
    if ([...files.texts.values()].some((text) => text.includes('StdioServerTransport'))) {
      return 'this server speaks over stdio, where nobody signs in: serve it over Streamable HTTP first'
    }
    return `no server was found that init knows: Next.js with an app directory, Hono, Express, Fastify, node:http. ${GUIDES}/SKILL.md has others`
  }
  return undefined
}

/** Those of a workspace, as far as they are near. */
function packagesBelow({ others }: ProjectFiles): string {
  const found = [...others.keys()].filter((path) => path.endsWith('/package.json'))
  const names = found.slice(0, 10).map((path) => path.slice(0, -'/package.json'.length))
  return names.length === 0 ? '' : `, one of ${names.join(', ')}`
}

function makesServer({ texts }: ProjectFiles): boolean {
  return [...texts].some(
    ([path, text]) => /\.[cm]?[jt]s$/.test(path) && text.includes('createServer'),
  )
}

function storeOf(flag: string | undefined, { store }: Recognition): Recognition['store'] {
  return flag !== undefined && isStore(flag) ? flag : store
}

/** As far as its variables tell. */
function upstreamOfModule(code: Code, { upstream }: Recognition): UpstreamChoice {
  const choice = readUpstream(upstreamOfEnvironment(new Set(namesReadBy(code))) ?? upstream)
  if ('fault' in choice) throw new Error(choice.fault)
  return choice
}

async function chooseUpstream(
  flag: string | undefined,
  { upstream }: Recognition,
  terminal: Terminal,
  person: Answerer | undefined,
): Promise<UpstreamChoice> {
  const question =
    'Where do your users sign in? github, google, slack, …, an issuer URL, or session for your own login'
  let word = flag ?? (await person?.ask(question, upstream)) ?? upstream
  for (;;) {
    const choice = readUpstream(word)
    if (!('fault' in choice)) return choice
    if (person === undefined) throw new Error(choice.fault)
    terminal.tell(choice.fault)
    word = await person.ask(question, upstream)
  }
}
