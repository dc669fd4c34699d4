/**
 * `npm run bench`: measures this package and its peers, each in a process of its own, in rounds, so that
 * what else the machine does meets all of them. A wrong answer ends the run with status 1.
 */
import { writeFileSync } from 'node:fs'
import { drawChart } from './report/chart.js'
import { print, say } from './report/print.js'
import { describeMachine } from './machine.js'
import { HELP, readOptions } from './options.js'
import { prepare } from './prepare.js'
import { WORKLOADS } from './workloads/index.js'
import { takingPart } from './workloads/rate.js'

const options = readOptions(process.argv.slice(2))
if (options.help) {
  process.stdout.write(HELP)
} else {
  await run().catch((error) => {
    say(`\n${error.message}`)
    process.exitCode = 1
  })
}

async function run() {
  const ground = await prepare(options)
  const results = { machine: describeMachine(ground), options: shown(options), workloads: {} }
  try {
    for (const workload of WORKLOADS) {
      const taking = takingPart(ground, workload)
      if (!options.wants(workload) || taking.length === 0 || !options.isWorth(taking)) continue
      say(`\n${workload.title}`)
      const result = await workload.measure(ground, workload)
      results.workloads[workload.name] = { title: workload.title, ...result }
      print(result)
      if (options.json !== undefined)
        writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`)
    }
  } finally {
    await ground.close()
  }
  if (options.chart !== undefined) writeFileSync(options.chart, drawChart(results))
  if (options.quick)
    say('\nEvery answer was right. The times mean nothing: --quick looks at answers only.')
}

function shown({ rounds, seconds, warmUp, connections, quick }) {
  return { rounds, seconds, warmUp, connections, quick }
}
