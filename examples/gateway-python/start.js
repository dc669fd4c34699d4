/** `npm start`: the Python server and the gateway before it, which end together. */
import { spawn } from 'node:child_process'

const options = { stdio: 'inherit', shell: process.platform === 'win32' }
const children = []

function start(command, args, more = {}) {
  const child = spawn(command, args, { ...options, ...more })
  children.push(child)
  child.once('error', ({ path }) => {
    console.error(`${path} cannot be started: is it installed?`)
    process.exitCode = 1
    stop()
  })
  child.once('exit', (status) => {
    process.exitCode ??= status ?? 0
    stop()
  })
  return child
}

function stop() {
  for (const child of children) child.kill('SIGTERM')
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)

// The server says that it listens, and only then is there a gateway that lets anybody through to it.
const server = start('python3', ['server.py'], { stdio: ['inherit', 'pipe', 'inherit'] })
server.stdout.pipe(process.stdout)
server.stdout.once('data', () => start('mcp-oauth', ['gateway', '--config', 'gateway.json']))
