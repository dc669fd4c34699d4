/** `npm start`: the Python server and the gateway before it, which end together. */
import { spawn } from 'node:child_process'

const options = { stdio: 'inherit', shell: process.platform === 'win32' }
const children = [
  spawn('python3', ['server.py'], options),
  spawn('mcp-oauth', ['gateway', '--config', 'gateway.json'], options),
]

function stop() {
  for (const child of children) child.kill('SIGTERM')
}

for (const child of children) {
  child.once('error', ({ path }) => {
    console.error(`${path} cannot be started: is it installed?`)
    process.exitCode = 1
    stop()
  })
  child.once('exit', (status) => {
    process.exitCode ??= status ?? 0
    stop()
  })
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
