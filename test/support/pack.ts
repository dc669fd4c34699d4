/** The package as npm would publish it, packed once for each state of what goes into it. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { buildOnce } from './build.ts'

const ROOT = resolve(import.meta.dirname, '../..')

interface Manifest {
  readonly files: readonly string[]
}

/** The path of the tarball. */
export async function packOnce(): Promise<string> {
  const built = await buildOnce()
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const script = readFileSync(join(ROOT, 'scripts/bundle.js'))
  const state = createHash('sha256').update(manifest).update(script).digest('hex').slice(0, 8)
  // npm takes the same path with other bytes for what it has installed already; so each has its own.
  const tarball = join(dirname(built), `${basename(built)}-${state}.tgz`)
  if (!existsSync(tarball)) await pack(built, manifest, tarball)
  return tarball
}

/** As `npm run build` does it. */
async function bundle(tree: string, to: string): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/bundle.js'), tree, to])
}

async function pack(built: string, manifest: string, tarball: string): Promise<void> {
  const stage = mkdtempSync(`${tarball}.`)
  try {
    for (const path of ['package.json', ...(JSON.parse(manifest) as Manifest).files]) {
      const from = join(ROOT, path)
      if (path === 'dist') await bundle(built, join(stage, path))
      else if (existsSync(from)) cpSync(from, join(stage, path), { recursive: true })
    }
    const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--ignore-scripts'], {
      cwd: stage,
    })
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
    renameSync(join(stage, filename), tarball)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}
