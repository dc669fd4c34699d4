/** The Node that runs the servers and the load: this one, one at a path, or one from npm by its number. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { install } from '../install.js'

/** @throws Error when there is none */
export function findNode(wanted) {
  if (wanted === undefined) return process.execPath
  if (!/^\d+$/.test(wanted)) return wanted
  const folder = `node-${wanted}-${process.platform}-${process.arch}`
  const path = join(import.meta.dirname, 'node_modules', folder, 'bin/node')
  install(import.meta.dirname)
  if (!existsSync(path)) throw new Error(`no Node ${wanted} here: give --node the path of one`)
  return path
}

export function majorOf(node) {
  return Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]']))
}
