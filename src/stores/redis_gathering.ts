/**
 * The commands of one turn of the event loop leave a connection of ioredis in one write, which costs little
 * more than a write for each of them. Nothing else changes: each stays a command of its own, which ioredis
 * sends again by itself when the connection breaks.
 */

/** A connection, which has no stream while there is none. */
export interface Connection {
  readonly stream?: Stream | undefined
}

/** What is written to a stream of node:net between these two leaves it at the second. */
interface Stream {
  cork?(): void
  uncork?(): void
}

/** Gives the function that is called before a command; `connections` are those that it may go over. */
export function createGathering(connections: () => readonly Connection[]): () => void {
  let isGathering = false
  return function gather() {
    if (isGathering) return
    isGathering = true
    const streams = connections().map(({ stream }) => stream)
    for (const stream of streams) stream?.cork?.()
    setImmediate(() => {
      isGathering = false
      for (const stream of streams) stream?.uncork?.()
    })
  }
}
