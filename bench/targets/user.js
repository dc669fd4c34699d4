/**
 * The users of the benchmark, who are signed in and say yes: `/authorize` leads straight back to the client,
 * as at the servers whose consent is an answer of the app in the same process. The page is made and read,
 * and the form is sent, as by a browser.
 */
import { DIST } from './dist.js'
import { answerTo, pairOf, wayOn } from './pages.js'

const { toHttpRequest } = await import(`${DIST}/node.js`)

/** Each sign-in is another user's. */
let users = 0

export async function answerForUser(auth, req, res) {
  const location = await consentTo(auth, toHttpRequest(req)).catch(String)
  if (/^https?:/.test(location)) return res.writeHead(302, { location, 'content-length': 0 }).end()
  res.writeHead(500, { 'content-length': location.length }).end(location)
}

/** Where the browser goes with the code. @throws Error with the page that came in its place */
export async function consentTo(auth, { path, query, remoteAddress }) {
  users += 1
  const user = `user=u${users}`
  const ask = { method: 'GET', path, query, remoteAddress, readBody: async () => new Uint8Array() }
  const shown = await auth.handle({ ...ask, rawHeaders: ['Cookie', user] })
  const form = Buffer.from(answerTo(shown.body))
  const cookie = [user, ...[shown.headers['set-cookie']].flat().map(pairOf)].join('; ')
  const type = 'application/x-www-form-urlencoded'
  const origin = ['Origin', 'null', 'Sec-Fetch-Site', 'same-origin']
  const answered = await auth.handle({
    method: 'POST',
    path: '/consent',
    query: '',
    remoteAddress,
    rawHeaders: ['Cookie', cookie, 'Content-Type', type, ...origin],
    readBody: async () => form,
  })
  return wayOn(answered.body)
}
