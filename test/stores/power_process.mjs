/**
 * Writes claims c0, c1, … with durability `power` until it is killed, a line on stdout for each answer.
 * Arguments: the built package, the file.
 */
import { writeSync } from 'node:fs'

const [build, file] = process.argv.slice(2)
const { sqlite } = await import(`${build}/sqlite.js`)
const { sampleClaim } = await import(`${build}/testing/contract/samples.js`)
const store = sqlite(file, { durability: 'power' })
for (let at = 0; ; at += 1) {
  await store.insert('claim', sampleClaim({ id: `c${at}` }))
  writeSync(1, `${at}\n`)
}
