/** One refresh token at two replicas at the same moment: whoever comes second gets the answer of the first. */
import { WrongAnswer } from './wrong_answer.js'

/** The seats go on with what they got. @throws WrongAnswer where the answers differ */
export async function raceRefreshes(places, seats) {
  for (const seat of seats) {
    const { client_id, refresh_token } = seat
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id, refresh_token })
    const answers = await Promise.all(
      places.map(async ({ port, paths }) => {
        const url = `http://127.0.0.1:${port}${paths.token}`
        const response = await fetch(url, { method: 'POST', body: form })
        return await response.json()
      }),
    )
    const [first] = answers
    const isOne = answers.every((answer) => answer.refresh_token === first.refresh_token)
    if (!isOne || first.refresh_token === undefined) {
      throw new WrongAnswer(`two answers to one token: ${JSON.stringify(answers)}`)
    }
    Object.assign(seat, first)
  }
}
