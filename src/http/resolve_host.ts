/**
 * From a host's name to its addresses.
 *
 * A name that the operator wrote is looked up as every program of this machine would, hosts file and all.
 * A name that a stranger wrote is asked of the name servers only, without a thread: the system's own
 * look-up holds one of libuv's four for as long as the stranger's name server keeps silent.
 */
import { Resolver, lookup } from 'node:dns/promises'

/** Who wrote the name. */
export type NameSource = 'operator' | 'stranger'

/** The addresses of `host`, in the order in which to try them. Rejects when there are none. */
export type ResolveHost = (
  host: string,
  source: NameSource,
  signal: AbortSignal,
) => Promise<readonly string[]>

/** The look-up of this machine. */
export async function resolveHost(
  host: string,
  source: NameSource,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (source === 'stranger') return await askNameServers(host, signal)
  const answers = await lookup(host, { all: true })
  return answers.map(({ address }) => address)
}

/** Whether a look-up was answered, with nothing. */
export function isNoSuchName(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOTFOUND' || error.code === 'ENODATA')
  )
}

async function askNameServers(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 })
  signal.addEventListener('abort', () => resolver.cancel(), { once: true })
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  // Many hosts have one family only, and some name servers cannot answer for the other.
  if (four.status === 'rejected' && six.status === 'rejected') {
    throw isNoSuchName(four.reason) ? six.reason : four.reason
  }
  return [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}
