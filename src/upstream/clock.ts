/**
 * The clock of the upstreams, which are made before the server and its clock.
 *
 * Only an answer's age and an id_token's times are measured with it, never anything of ours.
 */

/** Seconds since the epoch, whole. */
export function systemClock(): number {
  return Math.floor(Date.now() / 1000)
}
