/** `wrangler dev` on the port of `.env`, which it takes from its command line only. */
import { spawn } from 'node:child_process'

const { PORT = '3000' } = process.env
const args = [
  'dev',
  '--local',
  '--ip',
  '127.0.0.1',
  '--port',
  PORT,
  '--show-interactive-dev-session=false',
]
const wrangler = spawn(process.execPath, ['node_modules/wrangler/bin/wrangler.js', ...args], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => wrangler.kill(signal))
wrangler.once('exit', (status) => (process.exitCode = status ?? 0))
