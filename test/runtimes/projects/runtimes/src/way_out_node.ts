import { Resolver } from 'node:dns/promises'
import { createServer } from 'node:http'
import { answer } from './way_out.ts'

// The name server that the tests have put up, for every look-up of a stranger's name.
const { NAME_SERVER: nameServer = '' } = process.env
const resolve4 = Resolver.prototype.resolve4 as (this: Resolver, host: string) => Promise<string[]>
if (nameServer !== '') {
  Resolver.prototype.resolve4 = function (this: Resolver, host: string) {
    this.setServers([nameServer])
    return resolve4.call(this, host)
  } as typeof Resolver.prototype.resolve4
}

createServer(async (req, res) => {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
  const { method = 'GET' } = req
  const response = await answer(new Request('http://localhost/', { method, ...body }))
  res.end(await response.text())
}).listen(Number(process.env['PORT']), '127.0.0.1')
