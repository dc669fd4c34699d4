/** W1: `POST token` with rotation. Each request uses the refresh token of the answer before. */
import { postForm } from '../load/request.js'
import { expect, expectJson } from '../load/wrong_answer.js'

export function* refresh(seat, place) {
  const answer = yield postForm(place, place.paths.token, refreshForm(seat), credentials(seat))
  takeTokens(seat, answer, 'the answer to a refresh')
}

function refreshForm({ client_id, client_secret, refresh_token }) {
  const form = `grant_type=refresh_token&client_id=${client_id}&refresh_token=${encodeURIComponent(refresh_token)}`
  return client_secret === undefined ? form : `${form}&client_secret=${client_secret}`
}

/** Only where a server wants them in the header. */
function credentials({ authorization }) {
  return authorization === undefined ? '' : `Authorization: ${authorization}\r\n`
}

/** Both tokens must be new ones. The seat goes on with them. */
export function takeTokens(seat, answer, what) {
  const { access_token, refresh_token, token_type } = expectJson(200, what, answer)
  const isNew = access_token !== seat.access_token && refresh_token !== seat.refresh_token
  const isWhole = access_token?.length > 0 && refresh_token?.length > 0
  expect(isNew && isWhole && /^bearer$/i.test(token_type), `${what} brings no new tokens`, answer)
  seat.access_token = access_token
  seat.refresh_token = refresh_token
}

/** Nobody gets tokens for a text that is no token. */
export function* refreshProbe(seat, place) {
  const forged = { ...seat, refresh_token: `${seat.refresh_token.slice(0, -8)}AAAAAAAA` }
  const form = refreshForm(forged)
  const answer = yield postForm(place, place.paths.token, form, credentials(seat))
  expect(answer.status >= 400 && answer.status < 500, 'a forged token is not refused', answer)
}
