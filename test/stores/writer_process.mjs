/**
 * Writes until it is killed, and tells of each write on stdout once the store has answered.
 * Arguments: the built package, the file, a name that no other run has.
 */
import { writeSync } from 'node:fs'

const [build, file, run] = process.argv.slice(2)
const { sqlite } = await import(`${build}/sqlite.js`)
const { sampleClaim, sampleGrant, sampleRefresh } = await import(
  `${build}/testing/contract/samples.js`
)
const store = sqlite(file)
const tell = (...words) => writeSync(1, `${words.join(' ')}\n`)

/** Puts claims in, and takes every third of them out again. */
async function claims(lane) {
  for (let at = 0; ; at += 1) {
    const id = `${run}-${lane}-${at}`
    if (!(await store.insert('claim', sampleClaim({ id })))) throw new Error(`${id} was there`)
    tell('inserted', id)
    if (at % 3 !== 0) continue
    if ((await store.take('claim', id)) === undefined) throw new Error(`${id} was not there`)
    tell('taken', id)
  }
}

/** Rotates one grant, whose subject is another with each rotation. */
async function rotations() {
  const id = `grant-${run}`
  await store.insert('grant', sampleGrant({ id, subject: 's1', refresh: sampleRefresh(1) }))
  tell('rotated', 1)
  for (let version = 1; ; version += 1) {
    const next = version + 1
    const grant = sampleGrant({ id, subject: `s${next}`, refresh: sampleRefresh(next) })
    if (!(await store.replace('grant', grant, version))) throw new Error(`${id} has moved`)
    tell('rotated', next)
  }
}

await Promise.all([claims(0), claims(1), claims(2), rotations()])
