/** The pages of this package as whoever is sent them reads them. */

/** The form of a consent page, approved. */
export function answerTo(page) {
  const [, ticket] = /name="ticket" value="([^"]*)"/.exec(page) ?? []
  const [, csrf] = /name="csrf" value="([^"]*)"/.exec(page) ?? []
  if (csrf === undefined) throw new Error(`no consent page:\n${page}`)
  return `ticket=${ticket}&csrf=${csrf}&decision=approve`
}

/** Where a page goes on to by itself. */
export function wayOn(page) {
  const [, url] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(page) ?? []
  if (url === undefined) throw new Error(`no page that goes on:\n${page}`)
  return url.replaceAll('&amp;', '&')
}

export function pairOf(line) {
  return line.split(';', 1)[0]
}
