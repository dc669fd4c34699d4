/**
 * Who sends: one seat is one sign-in with its tokens, which move on with each refresh. With as many seats
 * as connections each keeps its own; with more, each unit takes one that is free, at random.
 */

export function createSeats(all, connections) {
  if (all.length < connections)
    throw new Error(`${all.length} seats for ${connections} connections`)
  if (all.length === connections) return { nextSeat: (at) => all[at], leave() {} }
  const taken = new Set()
  return {
    nextSeat() {
      for (;;) {
        const seat = all[Math.floor(Math.random() * all.length)]
        if (taken.has(seat)) continue
        taken.add(seat)
        return seat
      }
    },
    leave: (seat) => void taken.delete(seat),
  }
}
