/**
 * What is asked in one turn of the event loop goes as one statement: a busy server pays for one way there
 * and back, and for one commit, in place of one for each request.
 *
 * Nobody suffers from neighbours: what that statement leaves open, and all of it when PostgreSQL has
 * refused it, is asked alone. When there is no answer, nobody has one.
 */

/** How the questions of a turn are answered. */
export interface Answering<Q, A> {
  /** Several with one statement: an answer for each, undefined where it has to be asked alone. */
  together(questions: readonly Q[]): Promise<readonly (A | undefined)[]>
  alone(question: Q): Promise<A>
  /** Whether `together` has failed so that nothing was done and there is time to ask again. */
  isRefusal(error: unknown): boolean
}

interface Waiting<Q, A> {
  readonly question: Q
  resolve(answer: A | Promise<A>): void
  reject(error: unknown): void
}

/** A statement has at most so many, to be done soon. */
const MOST = 64

/** Gives the function that asks. */
export function gatherTurn<Q, A>(answering: Answering<Q, A>): (question: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = []
  function send(): void {
    const turn = waiting
    waiting = []
    for (let at = 0; at < turn.length; at += MOST) {
      void answerAll(answering, turn.slice(at, at + MOST))
    }
  }
  return (question) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(send)
      waiting.push({ question, resolve, reject })
    })
}

/** Settles each of them, and never fails itself. */
async function answerAll<Q, A>(
  { together, alone, isRefusal }: Answering<Q, A>,
  group: readonly Waiting<Q, A>[],
): Promise<void> {
  let answers: readonly (A | undefined)[] = []
  try {
    if (group.length > 1) answers = await together(group.map(({ question }) => question))
  } catch (error) {
    if (!isRefusal(error)) {
      for (const { reject } of group) reject(error)
      return
    }
  }
  for (const [at, { question, resolve }] of group.entries()) {
    resolve(answers[at] ?? alone(question))
  }
}
