/**
 * What a run stands on: the built package, the peers from npm, the Node that runs them, and a place for
 * data. What is missing is told, and its targets are left out.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build, ROOT, TREE } from '../scripts/set_up.js'
import { createEngines, missingEngine } from './engines.js'
import { install } from './install.js'
import { findNode, majorOf } from './nodes/find.js'
import { say } from './report/print.js'
import { TARGETS } from './targets/index.js'

const HERE = import.meta.dirname

export async function prepare(options) {
  if (!options.quick) install(HERE)
  if (options.dist === undefined) await build()
  const [dist, published] = [TREE, 'dist'].map((path) => resolve(options.dist ?? join(ROOT, path)))
  const node = findNode(options.node)
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-bench-'))
  const engines = createEngines()
  const targets = new Map()
  const peers = new Set()
  for (const [name, target] of Object.entries(allTargets(options))) {
    if (!isWanted(options, name, target)) continue
    const missing = missingOf(target, node)
    if (missing === undefined) targets.set(name, { name, ...target })
    else say(`left out: ${target.label}, as there is no ${missing}`)
  }
  return {
    options,
    node,
    targets,
    engines,
    directory,
    env: { BENCH_DIST: dist },
    /** The files as they are published, for what depends on them: the start. */
    published: { BENCH_DIST: published },
    versions: versionsOf(targets),
    /** Every process that was started; one that has ended may be stopped again. */
    peers,
    async close() {
      await Promise.all([...peers].map((peer) => peer.stop()))
      await engines.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Named, or nobody is; and in a workload that is measured. */
function isWanted({ wantsTarget, wants }, name, { workloads }) {
  if (!wantsTarget(name) && name !== 'extra') return false
  return workloads.some((workload) => wants({ name: workload }))
}

function allTargets({ target }) {
  if (target === undefined) return TARGETS
  const workloads = ['refresh', 'call']
  return { ...TARGETS, extra: { label: target, file: resolve(target), workloads } }
}

function missingOf({ needs = [], engine, node: since = 20 }, node) {
  const absent = needs.find((name) => versionOf(name) === undefined)
  if (absent !== undefined) return `${absent}; npm install in bench/ brings it`
  const noEngine = engine === undefined ? undefined : missingEngine(engine)
  if (noEngine !== undefined) return noEngine
  return majorOf(node) < since ? `Node ${since}` : undefined
}

function versionsOf(targets) {
  const names = new Set([...targets.values()].flatMap(({ needs = [] }) => needs))
  return Object.fromEntries([...names].map((name) => [name, versionOf(name)]))
}

/** Of an installed package, wherever Node finds it from here; undefined where it does not. */
function versionOf(name) {
  for (const path of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const file = join(path, name, 'package.json')
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).version
  }
  return undefined
}
