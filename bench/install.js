/**
 * Installs what a `package.json` of the benchmark names, unless that is done: with a lock beside it, to the
 * letter of that. No install scripts run.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './report/print.js'

const STAMP = 'node_modules/.installed'

/** @throws Error when npm fails */
export function install(directory) {
  const manifest = readFileSync(join(directory, 'package.json'), 'utf8')
  const isLocked = existsSync(join(directory, 'package-lock.json'))
  const stamp = join(directory, STAMP)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === manifest) return
  say(`installing what ${join(directory, 'package.json')} names`)
  const verb = isLocked ? ['ci'] : ['install', '--no-package-lock']
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', [...verb, ...quiet], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`npm install failed in ${directory}`)
  writeFileSync(stamp, manifest)
}
