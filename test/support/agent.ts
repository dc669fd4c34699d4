/**
 * A browser without a screen: keeps cookies, follows nothing by itself, and sends what a browser sends
 * with a form. Pages are read with regular expressions, since the tests know what stands in them.
 */

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** Where the page leads to by itself: `Location`, or the refresh of a page that goes on. */
  readonly leadsTo: string | undefined
}

export interface Agent {
  readonly jar: Map<string, string>
  get(url: string, headers?: Readonly<{ [name: string]: string }>): Promise<Page>
  /** Submits a form, with the headers of a browser that is on `from` (the same origin by default). */
  post(
    url: string,
    form: Readonly<{ [name: string]: string }> | string,
    headers?: Readonly<{ [name: string]: string }>,
  ): Promise<Page>
}

/** An agent with an empty profile, or with a copy of another one's cookies. */
export function createAgent(cookies: ReadonlyMap<string, string> = new Map()): Agent {
  const jar = new Map(cookies)

  async function send(url: string, init: RequestInit): Promise<Page> {
    const headers = new Headers(init.headers)
    if (jar.size > 0 && !headers.has('cookie')) {
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) keep(jar, line)
    const body = await response.text()
    return {
      url,
      status: response.status,
      headers: response.headers,
      body,
      leadsTo: response.headers.get('location') ?? refreshOf(body),
    }
  }

  return {
    jar,
    get: (url, headers = {}) => send(url, { headers }),
    post: (url, form, headers = {}) =>
      send(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: 'null',
          'sec-fetch-site': 'same-origin',
          ...headers,
        },
        body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      }),
  }
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const at = pair.indexOf('=')
  const name = pair.slice(0, at)
  if (attributes.some((attribute) => attribute.trim().toLowerCase() === 'max-age=0'))
    jar.delete(name)
  else jar.set(name, pair.slice(at + 1))
}

function refreshOf(body: string): string | undefined {
  const [, url] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(body) ?? []
  return url === undefined ? undefined : unescape(url)
}

/** The text of an attribute as a browser reads it. */
export function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

/** The value of a hidden field. */
export function fieldOf(page: Page, name: string): string {
  const [, value] = new RegExp(`name="${name}" value="([^"]*)"`).exec(page.body) ?? []
  if (value === undefined) throw new Error(`no field ${name} on ${page.status} ${page.url}`)
  return unescape(value)
}
