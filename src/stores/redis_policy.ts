/**
 * A Redis that drops keys when memory is short is no store: it would drop a revocation as well.
 */
import type { Command, RedisExecutor, Reply } from './redis_executor.ts'
import { StoreUnavailable } from './store.ts'

/**
 * Looks at every primary. Where INFO is not allowed or does not say, the operator is trusted.
 * @throws StoreUnavailable naming the setting
 */
export async function checkPolicy(executor: RedisExecutor): Promise<void> {
  for (const node of await executor.primaries()) {
    const policy = await readInfo(node, 'memory', 'maxmemory_policy')
    if (policy !== undefined && policy !== 'noeviction') {
      throw new StoreUnavailable(
        `Redis has maxmemory-policy ${policy} and would drop sign-ins and revocations; set it to noeviction`,
      )
    }
  }
}

/** One line of what a node says of itself; undefined where it does not say. */
export async function readInfo(
  node: (command: Command) => Promise<Reply>,
  section: string,
  name: string,
): Promise<string | undefined> {
  const info = await node(['INFO', section]).catch(unlessRefused)
  const line = String(info)
    .split(/\r?\n/)
    .find((each) => each.startsWith(`${name}:`))
  return line?.slice(name.length + 1)
}

function unlessRefused(error: unknown): Reply {
  const refused = /^(NOPERM|ERR unknown command|ERR Command is not available)/
  if (error instanceof Error && refused.test(error.message)) return ''
  throw error
}
