/** The processes of the demo: started, listened to, and ended together. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Fault, ROOT } from './set_up.js'

const PATIENCE = 15_000
const WINDOWS = process.platform === 'win32'

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

  /**
   * Starts a program; its lines are printed behind its name. One that starts others and may leave them
   * behind is the head of a group `apart`, and what is sent to it is sent to all of them.
   */
  function start(name, command, args, { apart = false, ...options }) {
    if (stopped !== undefined) throw new Fault('stopped while starting')
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: apart && !WINDOWS,
      ...options,
    })
    child.once('error', (error) => report(new Fault(`the ${name} did not start: ${error.message}`)))
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
    children.push({ child, exited, signal: (which) => send(child, which, apart) })
    return child
  }

  /** One of the demo's own servers, which say when they are ready. */
  async function startServer(name, script, env) {
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc']
    const child = start(name, process.execPath, [script], { env, stdio })
    await Promise.race([new Promise((ready) => child.once('message', ready)), ended])
  }

  /** Tells all of them to stop, and waits; who takes too long is ended. May be called twice. */
  function stop() {
    stopped ??= end()
    return stopped
  }

  /** The last one first, as it may need the others to finish what it is doing. */
  async function end() {
    const late = setTimeout(kill, PATIENCE)
    for (const { signal, exited } of children.toReversed()) {
      signal('SIGTERM')
      await exited
    }
    clearTimeout(late)
  }

  function kill() {
    for (const { signal } of children) signal('SIGKILL')
  }

  return { start, startServer, stop, kill, ended }
}

function send(child, signal, apart) {
  if (!apart || WINDOWS) return child.kill(signal)
  try {
    process.kill(-child.pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}

/** Calls `first` at the first signal that asks to stop, and `again` at each one after it. */
export function onStop(first, again) {
  let seen = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => ((seen += 1) === 1 ? first() : again()))
  }
}

/** Ours, less what would change a demo behind its back: what counts there is handed over. */
export function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MCP_OAUTH_') && name !== 'PORT' && name !== 'NODE_ENV',
  )
  return Object.fromEntries(kept)
}

/** A line of a child. A log in JSON is shown as words. */
export function print(name, line) {
  // oidc-provider has its own opinion of Node 20; the demo is tested there.
  if (/Unsupported runtime/.test(line)) return
  process.stdout.write(`  ${name} | ${words(line)}\n`)
}

function words(line) {
  try {
    const { time: _time, level: _level, event, ...fields } = JSON.parse(line)
    const told = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    return [event, ...told].join(' ')
  } catch {
    return line
  }
}
