/** The tool that every target serves: it answers with the text that it gets, and with the id of the call. */

export function answerOf({ id, params }) {
  const text = params.arguments.text
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })
}

export function writeJson(res, body, status = 200) {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  res.writeHead(status, headers).end(body)
}

export function readText(req) {
  return new Promise((resolve, reject) => {
    let text = ''
    req.setEncoding('utf8')
    req.on('data', (chunk) => (text += chunk))
    req.on('end', () => resolve(text))
    req.on('error', reject)
  })
}

/** The tool as a handler of node:http that reads its own body. */
export function serveTool(req, res) {
  readText(req).then(
    (text) => writeJson(res, answerOf(JSON.parse(text))),
    () => res.destroy(),
  )
}
