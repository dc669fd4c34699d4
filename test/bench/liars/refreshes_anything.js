/** Takes a text that is no token for a token. */
import { startHonest } from './honest.js'

let made = 0

export function start(options) {
  const rotate = () => {
    made += 1
    return { access_token: `access-${made}`, refresh_token: `refresh-${made}` }
  }
  return startHonest(options, { rotate })
}
