/**
 * What this package aims at, and what a run says of it: as ratios within that run, or as figures where
 * nothing else is meant. An aim whose rows were not measured is left out.
 */
import { format } from './print.js'

const LABELS = {
  ours: 'memory',
  'ours-sqlite': 'SQLite',
  'ours-sqlite-power': 'SQLite, safe from power cuts',
  'ours-postgres': 'PostgreSQL',
  'ours-redis': 'Redis',
  workers: 'workers-oauth-provider',
  'jose-rs256': 'RS256 with jose',
  'jose-es256': 'ES256 with jose',
}

/** Each gives the figure that was reached; undefined where it was not measured. */
const AIMS = [
  ...ofFloor('refresh', { ours: 0.55, 'ours-sqlite': 0.4, 'ours-sqlite-power': 0.27 }),
  ...ofFloor('refresh', { 'ours-redis': 0.27 }),
  atMost('refresh', 'PostgreSQL, of one read and one write in it', 1.2, (row) =>
    ratio(row('ours-postgres')?.cpu, row('floor-postgres')?.cpu),
  ),
  ...timesCheaper('refresh', 'cpu', [
    ['ours', 'oidc-provider', 8],
    ['ours', 'workers', 8],
    ['ours-sqlite', 'better-auth', 80],
  ]),
  ...ofFloor('sign-in', { ours: 0.45, 'ours-sqlite': 0.2 }),
  ...timesCheaper('sign-in', 'cpu', [
    ['ours', 'oidc-provider', 7],
    ['ours', 'workers', 7],
  ]),
  ...ofFloor('call', { ours: 0.78 }),
  ...adds('call', 'a call', 5),
  ...adds('first-call', "a token's first call", 20),
  ...timesCheaper('call', 'added', [
    ['ours', 'jose-rs256', 10],
    ['ours', 'jose-es256', 25],
  ]),
  grows('SQLite, a refresh among most grants, of one among fewest', 2, 'ours-sqlite', 'refreshCpu'),
  grows('SQLite, a call among most grants, of one among fewest', 1.4, 'ours-sqlite', 'callCpu'),
  atLeast('growth', 'SQLite, refreshes a second among most grants', 15_000, (row) =>
    middle(row('ours-sqlite most')?.refreshRate),
  ),
  atLeast(
    'growth',
    'Redis, refreshes a second among most grants, of those among fewest',
    0.9,
    (row) => ratio(row('ours-redis most')?.refreshRate, row('ours-redis least')?.refreshRate),
  ),
  atMost('growth', 'SQLite, bytes on disk a grant', 400, (row) => row('ours-sqlite most')?.disk),
  atLeast('gateway-call', 'gateway, of a bare proxy by CPU', 0.85, (row) =>
    middle(row('gateway')?.cpuRatio),
  ),
  atMost(
    'gateway-streams',
    'gateway, ms that an event comes later than from the backend',
    1,
    (row) => difference(row('gateway')?.delay, row('backend')?.delay),
  ),
  atMost('gateway-streams', 'gateway, KiB an open stream', 30, (row) => row('gateway')?.perStream),
  atMost('start', 'library, ms to the first answer beyond the floor', 60, (row) =>
    middle(row('ours')?.moreTime),
  ),
  atMost('start', 'library, MB idle beyond the floor', 15, (row) => middle(row('ours')?.moreRss)),
  atMost('start', 'gateway, ms to the first answer', 250, (row) =>
    middle(row('gateway-command')?.time),
  ),
  atMost('start', 'gateway, MB idle', 90, (row) => middle(row('gateway-command')?.rss)),
  ...['postgres', 'redis'].map((store) =>
    atLeast('replicas', `${store}, calls of two replicas, of one by CPU`, 1.8, (row) =>
      middle(row(`ours-${store} two`)?.callCapacity),
    ),
  ),
]

/** Rows of a table: what, the aim, what was reached, and whether that is it. */
export function aims({ workloads }) {
  return AIMS.flatMap(({ workload, what, sign, bound, reached }) => {
    const result = workloads[workload]
    const value = result === undefined ? undefined : reached((name) => valuesOf(result, name))
    if (value === undefined || !Number.isFinite(value)) return []
    const isMet = sign === '≥' ? value >= bound : value <= bound
    const digits = bound < 5 ? 2 : bound < 100 ? 1 : 0
    const title = result.title.replace(/:.*/, '')
    return [
      [
        `${title}: ${what}`,
        `${sign} ${format(bound, bound < 5 ? 2 : 0)}`,
        format(value, digits),
        isMet ? 'yes' : 'no',
      ],
    ]
  })
}

/** A row by its name; of a growing store the one with the `most` or the `least` grants. */
function valuesOf({ rows }, name) {
  const [target, which] = name.split(' ')
  if (which !== 'most' && which !== 'least') return rows.find((row) => row.name === name)?.values
  const own = rows.filter((row) => row.name.startsWith(`${target} `))
  return own.length < 2 ? undefined : own.at(which === 'most' ? -1 : 0).values
}

function ofFloor(workload, bounds) {
  return Object.entries(bounds).map(([name, bound]) =>
    atLeast(workload, `${labelOf(name)}, of the floor by CPU`, bound, (row) =>
      middle(row(name)?.cpuRatio),
    ),
  )
}

function timesCheaper(workload, key, pairs) {
  return pairs.map(([own, peer, bound]) =>
    atLeast(workload, `${labelOf(own)}, times cheaper than ${labelOf(peer)}`, bound, (row) =>
      ratio(row(peer)?.[key], row(own)?.[key]),
    ),
  )
}

function adds(workload, what, bound) {
  return ['ours', 'ours-sqlite', 'ours-postgres', 'ours-redis'].map((name) =>
    atMost(workload, `${labelOf(name)}, µs that the guard adds to ${what}`, bound, (row) =>
      middle(row(name)?.added),
    ),
  )
}

function grows(what, bound, name, key) {
  return atMost('growth', what, bound, (row) =>
    ratio(row(`${name} most`)?.[key], row(`${name} least`)?.[key]),
  )
}

function labelOf(name) {
  return LABELS[name] ?? name
}

function atLeast(workload, what, bound, reached) {
  return { workload, what, sign: '≥', bound, reached }
}

function atMost(workload, what, bound, reached) {
  return { workload, what, sign: '≤', bound, reached }
}

function middle(spread) {
  return spread?.median
}

function ratio(one, other) {
  return one === undefined || other === undefined ? undefined : one.median / other.median
}

function difference(one, other) {
  return one === undefined || other === undefined ? undefined : one - other
}
