/**
 * Whether an event stream stands between two events, where alone another may be put.
 *
 * In the middle of an event, or inside a compressed stream, a last word of ours would be read as part
 * of the backend's.
 */
export interface EventBorder {
  /** Whether the stream is compressed. */
  encoded: boolean
  pass(chunk: Uint8Array): void
  /** The event that ends the stream, where it can be put; undefined where not. */
  lastEvent(reason: string): string | undefined
}

export function createEventBorder(): EventBorder {
  let tail = ''
  return {
    encoded: false,
    pass(chunk) {
      tail = (tail + Buffer.from(chunk.subarray(-4)).toString('latin1')).slice(-4)
    },
    lastEvent(reason) {
      const between = tail === '' || /(\n\n|\r\r|\r\n\r\n)$/.test(tail)
      if (this.encoded || !between) return undefined
      return `event: error\ndata: ${JSON.stringify({ reason })}\n\n`
    },
  }
}
