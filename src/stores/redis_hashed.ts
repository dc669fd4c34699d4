/**
 * A script goes by its SHA-1, by which a node knows each that it has run. The text goes only to one that
 * does not, as after its start; it has done nothing then.
 */
import { sha1 } from '../crypto/hash.ts'
import type { KeyedCommand, Reply } from './redis_executor.ts'

type Send = (command: KeyedCommand) => Promise<Reply>

/** Sends commands through `send`, scripts by their SHA-1 where that does. */
export function hashingScripts(send: Send): Send {
  const hashes = new Map<string, string>()
  return (keyed) => {
    const [name, text = '', ...words] = keyed.command
    if (name !== 'EVAL') return send(keyed)
    const hash = hashes.get(text) ?? sha1(text)
    // There are as many texts as `redis_scripts.ts` has.
    hashes.set(text, hash)
    return send({ key: keyed.key, command: ['EVALSHA', hash, ...words] }).catch(
      (error: unknown) => {
        if (isUnknown(error)) return send(keyed)
        throw error
      },
    )
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
