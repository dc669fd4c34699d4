/** What an answer must be. One that is not ends the run. */

export class WrongAnswer extends Error {
  name = 'WrongAnswer'
}

/** @throws WrongAnswer that shows the answer */
export function expect(isRight, what, { status, head, body }) {
  if (isRight) return
  throw new WrongAnswer(`${what}:\n${status}\n${head}\n\n${body.slice(0, 2000)}`)
}

/** The answer's JSON. @throws WrongAnswer when it has another status, or is no JSON */
export function expectJson(status, what, answer) {
  expect(answer.status === status, `${what} is not ${status}`, answer)
  try {
    return JSON.parse(answer.body)
  } catch {
    throw new WrongAnswer(`${what} is no JSON:\n${answer.body.slice(0, 2000)}`)
  }
}
