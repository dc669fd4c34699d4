/** Gives the same refresh token again. */
import { startHonest } from './honest.js'

export function start(options) {
  const rotate = (token) =>
    /^refresh-\d+-token$/.test(token)
      ? { access_token: `access-${Math.random()}`, refresh_token: token }
      : undefined
  return startHonest(options, { rotate })
}
