/** The least that makes a `Request` of a node:http request, and writes a `Response` back. */

export function serveFetch(server, origin, handle) {
  server.on('request', (req, res) => {
    answer(req, res).catch((error) => {
      process.stderr.write(`${error.stack}\n`)
      res.destroy()
    })
  })

  async function answer(req, res) {
    const response = await handle(await toRequest(req, origin))
    const headers = [...response.headers].flat()
    const body = Buffer.from(await response.arrayBuffer())
    res.writeHead(response.status, [...headers, 'content-length', body.length]).end(body)
  }
}

async function toRequest(req, origin) {
  const { method, headers, url } = req
  if (method === 'GET') return new Request(`${origin}${url}`, { headers })
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  return new Request(`${origin}${url}`, { method, headers, body: Buffer.concat(chunks) })
}
