/** Lets every call pass. */
import { startHonest } from './honest.js'

export function start(options) {
  return startHonest(options, { isKnown: () => true })
}
