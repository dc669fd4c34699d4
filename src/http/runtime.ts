/**
 * What is different on Workers (workerd), where the same code runs as on Node, Bun and Deno.
 *
 * There, work belongs to the request that began it: when its client goes away it ends where it stands,
 * and whoever else waits for it waits for ever. There are no files, no connection outlives a request, and
 * no random number is to be had before the first one.
 */

/** As much of `cloudflare:workers` as is used. */
interface Workers {
  waitUntil?(work: Promise<unknown>): void
}

interface WorkersGlobal {
  readonly Cloudflare?: { readonly compatibilityFlags?: Readonly<{ [flag: string]: boolean }> }
}

/** Whether this is workerd. Before Node 21 there is no `navigator`. */
export const isWorkers: boolean = globalThis.navigator?.userAgent === 'Cloudflare-Workers'

/** Whether a compatibility flag of the Worker is on. */
export function hasFlag(flag: string): boolean {
  return (globalThis as WorkersGlobal).Cloudflare?.compatibilityFlags?.[flag] === true
}

/** Brings `work` to its end, though its client may go away meanwhile. Elsewhere that is so by itself. */
export function seeThrough<T>(work: Promise<T>): Promise<T> {
  if (!isWorkers) return work
  // No import: a bundler for another runtime would look for it.
  const workers = process.getBuiltinModule('cloudflare:workers') as Workers | undefined
  workers?.waitUntil?.(work.catch(() => undefined))
  return work
}

/** @throws RangeError on Workers, where `what` cannot be; `instead` says what can. */
export function refuseOnWorkers(what: string, instead: string): void {
  if (isWorkers) throw new RangeError(`${what} cannot run on Workers: ${instead}`)
}
