/**
 * A person at the forms of the test provider, without a browser: follows redirects, keeps cookies and
 * presses the one button in each form that was asked for.
 */

/** What to press: the names of the buttons and the value of the right one. */
export type Choices = Readonly<{ [button: string]: string }>

const MAX_STEPS = 20

/** Walks from `start` until a redirect leads to a URL that has `arrived`, and gives that URL unvisited. */
export async function walkThrough(
  start: string,
  choices: Choices,
  arrived: (url: string) => boolean,
): Promise<string> {
  const jar = new Map<string, string>()
  let url = start
  let body: string | undefined
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const response = await visit(url, body, jar)
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url).href
      body = undefined
      if (arrived(url)) return url
      continue
    }
    const page = await response.text()
    body = press(page, choices)
    if (body === undefined)
      throw new Error(`no way on from ${response.status} ${url}: ${page.slice(0, 500)}`)
  }
  throw new Error('too many steps')
}

async function visit(
  url: string,
  body: string | undefined,
  jar: Map<string, string>,
): Promise<Response> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    redirect: 'manual',
    headers: {
      cookie,
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(body === undefined ? {} : { body }),
  })
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    jar.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return response
}

function press(page: string, choices: Choices): string | undefined {
  for (const [name, value] of Object.entries(choices)) {
    if (page.includes(`<button name="${name}" value="${value}">`)) return `${name}=${value}`
  }
  return undefined
}
