/**
 * What each door of the package reaches and how large it is, by the real graph of its imports, against
 * `doors.json`. `node scripts/door_sizes.js` rewrites that.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildOnce } from '../support/build.ts'

const ROOT = resolve(import.meta.dirname, '../..')

interface Door {
  /** What an import of the door loads. */
  readonly packages: readonly string[]
  readonly builtIns: readonly string[]
  /** What is loaded, or left, when something is called. */
  readonly whenCalled: readonly string[]
  /** Minified and compressed: our own code, and with the dependencies. */
  readonly bytes: { readonly own: number; readonly whole: number }
}

type Doors = Readonly<{ [door: string]: Door }>

interface Manifest {
  readonly exports: Readonly<{ [door: string]: unknown }>
  readonly dependencies: Readonly<{ [name: string]: string }>
}

interface Script {
  measureDoors(directory: string): Promise<Doors>
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T
}

const REWRITE = '`node scripts/door_sizes.js` rewrites test/house/doors.json'
const manifest = read<Manifest>('package.json')
const kept = read<Doors>('test/house/doors.json')
const doors = Object.keys(manifest.exports).filter((door) => !door.endsWith('.json'))
let found: Doors = {}

beforeAll(async () => {
  const script: string = join(ROOT, 'scripts/door_sizes.js')
  const { measureDoors } = (await import(script)) as Script
  found = await measureDoors(await buildOnce())
})

/** How much a door may grow before somebody has to say so: a tenth, and the noise of a small one. */
function bound(bytes: number): number {
  return Math.round(bytes * 1.1) + 256
}

describe('the doors', () => {
  it('are those of the table', () => {
    expect(Object.keys(kept), REWRITE).toEqual(doors)
  })

  it.each(doors)('%s reaches what the table says', (door) => {
    const { bytes: _, ...reached } = found[door]!
    expect(reached, REWRITE).toEqual({
      packages: kept[door]?.packages,
      builtIns: kept[door]?.builtIns,
      whenCalled: kept[door]?.whenCalled,
    })
  })

  it.each(doors)('%s has not grown unnoticed', (door) => {
    const { bytes } = found[door]!
    const { own = 0, whole = 0 } = kept[door]?.bytes ?? {}
    expect(bytes.own, REWRITE).toBeLessThanOrEqual(bound(own))
    expect(bytes.whole, REWRITE).toBeLessThanOrEqual(bound(whole))
  })

  it.each(doors.filter((door) => door !== './gateway'))(
    'SC-02 %s loads no package but our five, and starts no program',
    (door) => {
      const { packages, builtIns, whenCalled } = found[door]!
      for (const name of packages) expect(Object.keys(manifest.dependencies)).toContain(name)
      for (const name of ['node:child_process', 'node:cluster', 'node:worker_threads', 'node:vm']) {
        expect([...builtIns, ...whenCalled]).not.toContain(name)
      }
    },
  )

  it('the library has no database, no framework and no file in it', () => {
    const { builtIns, whenCalled } = found['.']!
    const reached = [...builtIns, ...whenCalled].filter((name) => name.startsWith('node:'))
    expect(reached.filter((name) => /sqlite|fs|module|readline|util/.test(name))).toEqual([])
    for (const other of ['./stores/sqlite', './stores/postgres', './stores/redis']) {
      // Each driver is behind a door of its own, and is not paid for by who does not open it.
      expect(found[other]!.packages).toEqual([])
    }
  })
})
