/** Installs what a `package.json` of the benchmark names, unless that is done. No install scripts run. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './report/print.js'

const STAMP = 'node_modules/.installed'

/** @throws Error when npm fails */
export function install(directory) {
  const manifest = readFileSync(join(directory, 'package.json'), 'utf8')
  const stamp = join(directory, STAMP)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === manifest) return
  say(`installing what ${join(directory, 'package.json')} names`)
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  const { status } = spawnSync('npm', ['install', '--ignore-scripts', ...quiet], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm install failed in ${directory}`)
  writeFileSync(stamp, manifest)
}
