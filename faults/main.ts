/**
 * `npm run faults`: breaks things on every engine that is here, counts, and prints a table. Leaves with 1
 * when a promise was broken. `--rounds` is how many kills, `--only` and `--engine` choose rows.
 */
import { parseArgs } from 'node:util'
import { ENGINES } from './engines.ts'
import { FAULTS } from './faults.ts'
import { createFinding, type Finding } from './finding.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    only: { type: 'string' },
    engine: { type: 'string' },
  },
})

interface Row {
  readonly fault: string
  readonly engine: string
  readonly seconds: number
  readonly finding: Finding
}

const rows: Row[] = []
for (const { name: engine, missing, start } of ENGINES) {
  if (!isWanted(engine, values.engine)) continue
  const needed = missing()
  if (needed !== undefined) {
    process.stderr.write(`NOT TRIED: ${engine}. apt-get install ${needed}\n`)
    if (process.env['CI']) process.exitCode = 1
    continue
  }
  for (const { name: fault, run } of FAULTS.filter(({ name }) => isWanted(name, values.only))) {
    process.stderr.write(`${engine}: ${fault} …\n`)
    const began = performance.now()
    const finding = createFinding()
    const ground = await start()
    try {
      await run(ground, Number(values.rounds), finding)
    } catch (error) {
      finding.promise(false, error instanceof Error ? (error.stack ?? '') : String(error))
    } finally {
      await ground.close()
    }
    rows.push({ fault, engine, finding, seconds: Math.round((performance.now() - began) / 1000) })
  }
}
process.stdout.write(table(rows))
const isSound = rows.length > 0 && rows.every(({ finding }) => finding.broken.length === 0)
process.exit(isSound ? (process.exitCode ?? 0) : 1)

function isWanted(name: string, wanted: string | undefined): boolean {
  return wanted === undefined || name.toLowerCase() === wanted.toLowerCase()
}

function table(all: readonly Row[]): string {
  const lines = all.flatMap(({ fault, engine, seconds, finding }) => {
    const counted = [...finding.counts].map(([what, count]) => `${count} ${what}`).join(', ')
    const broken = [...new Set(finding.broken)].slice(0, 20)
    return [
      `| ${fault} | ${engine} | ${counted} | ${seconds} s | ${finding.broken.length} |`,
      ...broken.map((line) => `  ✗ ${line}`),
    ]
  })
  return [
    '| fault | engine | counted | took | broken |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}
