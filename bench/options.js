/** The command line of the benchmark. */
import { parseArgs } from 'node:util'
import { TARGETS } from './targets/index.js'
import { WORKLOADS } from './workloads/index.js'

export const HELP = `npm run bench -- [options]

  --only <names>      workloads, targets, or both, parted by commas
  --rounds <n>        how often each target is measured; 5 by default
  --seconds <n>       how long each time; 3 by default
  --warm-up <n>       seconds before each time; 4 by default
  --connections <n>   how many clients send at once; 32 by default
  --grants <list>     live grants for "growth"; 1000,100000,1000000 by default
  --node <24 or path> the Node that runs the servers and the load; this one by default
  --json <file>       writes the results there
  --chart <file>      draws them there, as SVG
  --quick             looks at answers, not at times, which takes seconds
  --dist <directory>  the built package; built anew into dist/ by default
  --target <file>     measures that module as a target, too

workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
targets:   ${Object.keys(TARGETS).join(', ')}
`

const OPTIONS = {
  only: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  connections: { type: 'string' },
  grants: { type: 'string' },
  node: { type: 'string' },
  json: { type: 'string' },
  chart: { type: 'string' },
  quick: { type: 'boolean', default: false },
  dist: { type: 'string' },
  target: { type: 'string' },
  help: { type: 'boolean', default: false },
}

const WHOLE = { rounds: 5, seconds: 3, warmUp: 4, connections: 32, grants: [1e3, 1e5, 1e6] }
const QUICK = { rounds: 1, seconds: 0.1, warmUp: 0, connections: 4, grants: [200] }

/** @throws Error that names what is unknown */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS })
  const defaults = values.quick ? QUICK : WHOLE
  const number = (name, otherwise) =>
    values[name] === undefined ? otherwise : Number(values[name])
  return {
    ...values,
    ...readOnly(values.only),
    rounds: number('rounds', defaults.rounds),
    seconds: number('seconds', defaults.seconds),
    warmUp: number('warm-up', defaults.warmUp),
    connections: number('connections', defaults.connections),
    grants: values.grants?.split(',').map(Number) ?? defaults.grants,
  }
}

/**
 * What is measured: the floor always is, as everything is told as a ratio to it, but not for itself alone
 * where others are named.
 */
function readOnly(only) {
  const names = only?.split(',') ?? []
  const workloads = new Set(names.filter((name) => WORKLOADS.some((one) => one.name === name)))
  const targets = new Set(names.filter((name) => Object.hasOwn(TARGETS, name)))
  const unknown = names.filter((name) => !workloads.has(name) && !targets.has(name))
  if (unknown.length > 0) throw new Error(`neither workload nor target: ${unknown.join(', ')}`)
  return {
    wants: ({ name }) => workloads.size === 0 || workloads.has(name),
    isWorth: (taking) =>
      targets.size === 0 ||
      taking.some(({ name }) => !Object.hasOwn(TARGETS, name) || targets.has(name)),
    wantsTarget: (name) =>
      targets.size === 0 || targets.has(name) || TARGETS[name]?.isFloor === true,
  }
}
