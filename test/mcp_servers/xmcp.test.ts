/** A server of xmcp, which builds itself from files at fixed places and settles its port while it does. */
import { describe } from 'vitest'
import type { Project } from '../support/project.ts'
import { redisSuite } from '../support/redis.ts'
import { describeProject } from './drive.ts'
import { freePort } from '../support/free_port.ts'

const PORTS = { before: await freePort(), after: await freePort() }

/** `xmcp build` checks types, too. */
async function build(project: Project): Promise<void> {
  for (const [folder, port] of Object.entries(PORTS)) {
    const command = `cd ${folder} && npx xmcp build`
    const told = await project.run('sh', ['-c', command], { PORT: String(port) })
    if (!told.includes('Compiled')) throw new Error(told)
  }
}

redisSuite(describe, 'xmcp', () => {
  describeProject('xmcp', build, [
    {
      name: 'xmcp',
      before: ['before/dist/http.js'],
      after: ['after/dist/http.js'],
      ports: PORTS,
      toolScopes: 'guard',
      outage: 503,
    },
  ])
})
