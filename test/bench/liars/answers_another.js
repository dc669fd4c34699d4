/** Answers each call with what it has answered once. */
import { startHonest } from './honest.js'

export function start(options) {
  let first
  return startHonest(options, {
    answer: (message) => (first ??= JSON.stringify(answerTo(message))),
  })
}

function answerTo({ id, params }) {
  const content = [{ type: 'text', text: params.arguments.text }]
  return { jsonrpc: '2.0', id, result: { content } }
}
