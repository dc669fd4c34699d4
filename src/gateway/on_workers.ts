/**
 * What is in the place of the gateway on Workers, where it could not even be loaded: it keeps connections
 * to its backends, and they would end with the request that opened them.
 */

/** @throws RangeError always */
export function createGateway(): never {
  throw new RangeError(
    'createGateway() cannot run on Workers: run the gateway on Node, or the library on Workers with auth.fetch and auth.protect',
  )
}
