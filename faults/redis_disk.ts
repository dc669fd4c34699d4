/** How the Redis servers of the faults write, and where. */
import type { TestRedis } from '../test/support/redis.ts'

/** AOF, flushed each second: written before the answer, which is what the kill of a process needs. */
export const APPEND: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'everysec']

export async function directoryOf(server: TestRedis): Promise<string> {
  const [, directory = ''] = (await server.cli('CONFIG', 'GET', 'dir')).split('\n')
  return directory
}
