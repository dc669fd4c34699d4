/** The processes of the demo: started, listened to, and ended together. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Fault, ROOT } from './set_up.js'

const PATIENCE = 15_000

/**
 * A group of processes, of which none outlives the others. `ended` is settled by the first that ends
 * without having been told to, with the reason.
 */
export function createGroup(print) {
  const children = []
  let stopped
  let report
  const ended = new Promise((_, reject) => (report = reject))
  // It may be settled before anybody waits for it.
  ended.catch(() => {})

  /** Starts `script`; its lines are printed behind its name. */
  function start(name, script, args, env, stdio = ['ignore', 'pipe', 'pipe']) {
    if (stopped !== undefined) throw new Fault('stopped while starting')
    const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, env, stdio })
    let last = ''
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        last = line
        print(name, line)
      })
    }
    const exited = new Promise((done) => {
      child.once('close', (status, signal) => {
        if (stopped === undefined)
          report(new Fault(`the ${name} ended (${signal ?? status}): ${last}`))
        done()
      })
    })
    children.push({ child, exited })
    return child
  }

  /** One of the demo's own servers, which say when they are ready. */
  async function startServer(name, script, env) {
    const child = start(name, script, [], env, ['ignore', 'pipe', 'pipe', 'ipc'])
    await Promise.race([new Promise((ready) => child.once('message', ready)), ended])
  }

  /** Tells all of them to stop, and waits; who takes too long is ended. May be called twice. */
  function stop() {
    stopped ??= end('SIGTERM')
    return stopped
  }

  async function end(signal) {
    for (const { child } of children) child.kill(signal)
    const late = setTimeout(kill, PATIENCE)
    await Promise.all(children.map(({ exited }) => exited))
    clearTimeout(late)
  }

  function kill() {
    for (const { child } of children) child.kill('SIGKILL')
  }

  return { start, startServer, stop, kill, ended }
}
