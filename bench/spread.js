/** A median and what lies around it. */

/** Undefined for no figures. */
export function spread(figures) {
  const sorted = figures.filter((one) => Number.isFinite(one)).toSorted((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2
  return { median, min: sorted[0], max: sorted.at(-1) }
}
