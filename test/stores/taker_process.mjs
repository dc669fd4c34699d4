/**
 * One of several processes on one file. Opens it, says so, and on the first input takes every ticket
 * that it can get and counts one grant up. Tells as JSON what it got.
 * Arguments: the built package, the file, how many tickets, how many counts.
 */
import { once } from 'node:events'

const [build, file, tickets, counts] = process.argv.slice(2)
const { sqlite } = await import(`${build}/sqlite.js`)
const store = sqlite(file)
process.stdout.write('open\n')
await once(process.stdin, 'data')

async function takeAll() {
  const ids = Array.from({ length: Number(tickets) }, (_, at) => `ticket-${at}`)
  const taken = await Promise.all(ids.map((id) => takeLater(id)))
  return ids.filter((_, at) => taken[at] !== undefined)
}

async function takeLater(id) {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 50))
  return store.take('ticket', id)
}

async function countUp() {
  for (let done = 0; done < Number(counts);) {
    const { record, version } = await store.find('grant', 'counter')
    const generation = record.refresh.generation + 1
    const next = { ...record, refresh: { ...record.refresh, generation } }
    if (await store.replace('grant', next, version)) done += 1
  }
}

const [taken] = await Promise.all([takeAll(), countUp()])
await store.close()
process.stdout.write(`${JSON.stringify(taken)}\n`)
process.stdin.destroy()
