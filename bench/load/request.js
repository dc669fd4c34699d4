/** Requests as text, with the fewest headers that all servers take. */

export function get({ host }, path, headers = '') {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`
}

export function postForm(place, path, form, headers = '') {
  return post(place, path, `Content-Type: application/x-www-form-urlencoded\r\n${headers}`, form)
}

export function postJson(place, path, body, headers = '') {
  const types = 'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n'
  return post(place, path, `${types}${headers}`, body)
}

function post({ host }, path, headers, body) {
  return `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}
