/**
 * A judgement of a text, remembered for whoever brings the same text again.
 *
 * For pure functions only: what they say never changes, so nothing that is remembered can be stale. Bounded
 * in number and length, as strangers choose the texts: past the bound the oldest goes and is judged anew.
 */

/** Longer texts are judged each time. */
const MAX_LENGTH = 300

/** `judge`, which remembers its last `max` judgements. What it throws is not remembered. */
export function remembered<T>(judge: (text: string) => T, max = 200): (text: string) => T {
  const known = new Map<string, { readonly judgement: T }>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found.judgement
    const judgement = judge(text)
    if (text.length > MAX_LENGTH) return judgement
    if (known.size >= max) known.delete(known.keys().next().value ?? '')
    known.set(text, { judgement })
    return judgement
  }
}
