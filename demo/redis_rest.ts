/**
 * A REST endpoint such as Upstash has, in front of a Redis on this machine, for the examples that are made
 * for Upstash.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Redis } from 'ioredis'
import { refuseProduction, serve, setting } from './child_process.ts'
import { answerRest } from './redis_rest_answers.ts'

refuseProduction('the REST endpoint')
const token = setting('DEMO_TOKEN')
const redis = new Redis(setting('DEMO_REDIS'), { maxRetriesPerRequest: 0 })
redis.on('error', ({ message }) => process.stderr.write(`${message}\n`))

serve(Number(setting('DEMO_PORT')), (request, response) => {
  answer(request, response).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'unknown'
    send(response, 400, { error: reason })
  })
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  const { url: path = '/', headers } = request
  send(response, ...(await answerRest(redis, token, { path, headers, body })))
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
