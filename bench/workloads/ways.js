/** How a browser comes from the authorization request back to the client, at each kind of server. */
import { answerTo, pairOf, wayOn } from '../targets/pages.js'
import { get, postForm, postJson } from '../load/request.js'
import { expect, expectJson } from '../load/wrong_answer.js'

export const WAYS = { plain, follow, page, betterAuth }

/** The server leads straight back: its user says yes within its process. */
function* plain(browser, path) {
  return locationOf(yield* visit(browser, path))
}

/** The server leads over pages of its own, each of which goes on by itself. */
function* follow(browser, path, target) {
  let next = path
  for (let steps = 0; steps < 10; steps += 1) {
    const location = locationOf(yield* visit(browser, next))
    if (location.startsWith(target)) return location
    const { pathname, search } = new URL(location, browser.place.origin)
    next = `${pathname}${search}`
  }
  throw new Error('ten redirects lead nowhere')
}

/** Ours: the consent page, its form, and where there is a provider, the way there and back. */
function* page(browser, path, target) {
  users += 1
  if (browser.place.hasLogin) browser.cookies.set('user', `u${users}`)
  const shown = yield* visit(browser, path)
  expect(shown.status === 200, 'the consent page is not shown', shown)
  const headers = `${cookiesOf(browser)}Origin: null\r\nSec-Fetch-Site: same-origin\r\n`
  const answer = yield postForm(browser.place, '/consent', answerTo(shown.body), headers)
  keepCookies(browser, answer)
  const location = wayOn(answer.body)
  if (location.startsWith(target)) return location
  const state = new URL(location).searchParams.get('state')
  return locationOf(yield* visit(browser, `/callback?code=u${users}&state=${state}`))
}

let users = 0

/** A page of the app's own asks for consent, and sends the answer with the query it was called with. */
function* betterAuth(browser, path, target) {
  const location = locationOf(yield* visit(browser, path))
  if (location.startsWith(target)) return location
  const oauth_query = new URL(location, browser.place.origin).search.slice(1)
  const headers = `${cookiesOf(browser)}Origin: ${browser.place.origin}\r\n`
  const body = JSON.stringify({ accept: true, oauth_query })
  const answer = yield postJson(browser.place, browser.place.paths.consent, body, headers)
  const { url, redirect_uri } = expectJson(200, 'the answer to a consent', answer)
  return url ?? redirect_uri
}

function* visit(browser, path) {
  const answer = yield get(browser.place, path, cookiesOf(browser))
  keepCookies(browser, answer)
  return answer
}

function locationOf(answer) {
  const [, location] = /\r\nlocation: *([^\r\n]+)/i.exec(answer.head) ?? []
  if (answer.status === 200) return wayOn(answer.body)
  expect(location !== undefined, 'a page leads nowhere', answer)
  return location
}

function cookiesOf({ cookies }) {
  if (cookies.size === 0) return ''
  return `Cookie: ${[...cookies].map(([name, value]) => `${name}=${value}`).join('; ')}\r\n`
}

function keepCookies({ cookies }, { head }) {
  for (const [, line] of head.matchAll(/\r\nset-cookie: *([^\r\n]+)/gi)) {
    const pair = pairOf(line)
    const at = pair.indexOf('=')
    if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(pair.slice(0, at))
    else cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }
}
