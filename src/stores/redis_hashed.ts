/**
 * A script goes by its hash, which Redis tells for the text. Until it is known, and to a node that has not
 * run the script yet and so has done nothing, the text goes.
 */
import type { KeyedCommand, Reply } from './redis_executor.ts'

type Send = (command: KeyedCommand) => Promise<Reply>

/** Sends commands through `send`, scripts by their hash where that does. */
export function hashingScripts(send: Send): Send {
  /** By text, of which there are as many as `redis_scripts.ts` has; undefined while it is not known. */
  const hashes = new Map<string, string | undefined>()
  function learn(key: string, text: string): void {
    if (hashes.has(text)) return
    hashes.set(text, undefined)
    send({ key, command: ['SCRIPT', 'LOAD', text] }).then(
      (hash) => hashes.set(text, String(hash)),
      (error: unknown) => isForbidden(error) || hashes.delete(text),
    )
  }
  return (keyed) => {
    const [name, text = '', ...words] = keyed.command
    if (name !== 'EVAL') return send(keyed)
    learn(keyed.key, text)
    const hash = hashes.get(text)
    if (hash === undefined) return send(keyed)
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

/** Whether it is of no use to ask again. */
function isForbidden(error: unknown): boolean {
  return error instanceof Error && /^(NOPERM|ERR) /.test(error.message)
}
