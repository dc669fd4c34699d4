/**
 * What is measured. `needs` are packages of `package.json` beside it, `engine` a server that must be
 * installed, `node` the oldest Node that it runs on, `workloads` where it takes part.
 */
const RATES = ['refresh', 'sign-in', 'call']

export const TARGETS = {
  floor: {
    label: 'floor: bare node:http',
    file: 'floor_http.js',
    isFloor: true,
    workloads: [...RATES, 'start', 'growth'],
  },
  ours: ours('memory', { workloads: [...RATES, 'sign-in-page', 'first-call', 'start'] }),
  'ours-sqlite': ours('SQLite', {
    workloads: [...RATES, 'sign-in-page', 'first-call', 'growth', 'start'],
  }),
  'ours-sqlite-power': ours('SQLite', {
    label: 'ours, SQLite, safe from power cuts',
    settings: { store: 'sqlite', durability: 'power' },
    workloads: ['refresh', 'sign-in'],
  }),
  'ours-postgres': ours('PostgreSQL', {
    engine: 'postgres',
    workloads: [...RATES, 'first-call', 'growth', 'replicas'],
  }),
  'ours-redis': ours('Redis', {
    engine: 'redis',
    workloads: [...RATES, 'first-call', 'growth', 'replicas'],
  }),
}

function ours(store, more) {
  return {
    label: `ours, ${store}`,
    file: 'ours.js',
    settings: { store: store.toLowerCase().replace('postgresql', 'postgres') },
    ...more,
  }
}
