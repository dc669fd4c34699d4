/**
 * Sets of ids in the order in which every store lists them: by their UTF-8 bytes, which is the order of
 * code points. Record ids grow with time, so an id that is added nearly always goes to the end. A set is a
 * bare list, for there are as many as there are users and clients, and most hold one id.
 */

/** Adds `id` to the set, unless it is there. */
export function addSorted(ids: string[], id: string): void {
  const at = position(ids, id)
  if (ids[at] !== id) ids.splice(at, 0, id)
}

/** Removes `id` from the set, if it is there. */
export function removeSorted(ids: string[], id: string): void {
  const at = position(ids, id)
  if (ids[at] === id) ids.splice(at, 1)
}

/** At most `limit` ids after `cursor`, or from the start. */
export function idsAfter(
  ids: readonly string[],
  cursor: string | undefined,
  limit: number,
): readonly string[] {
  if (cursor === undefined) return ids.slice(0, limit)
  const at = position(ids, cursor)
  const start = ids[at] === cursor ? at + 1 : at
  return ids.slice(start, start + limit)
}

/** Where `id` stands, or would have to stand. */
function position(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(ids[middle] ?? '', id)) low = middle + 1
    else high = middle
  }
  return low
}

/** JavaScript compares UTF-16 units, which would sort U+10000 and up before U+E000: not so UTF-8. */
function before(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left !== right) return weight(left) < weight(right)
  }
  return a.length < b.length
}

function weight(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}
