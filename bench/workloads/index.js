/** What is measured, in the order of the tables. */
import { growth } from './growth.js'
import { rate } from './rate.js'
import { replicas } from './replicas.js'
import { start } from './start.js'
import { streams } from './streams.js'

export const WORKLOADS = [
  {
    name: 'refresh',
    title: 'W1: refresh with rotation',
    units: ['refresh'],
    asksStore: true,
    probes: ['refreshProbe'],
    measure: rate,
  },
  {
    name: 'sign-in',
    title: 'W2: a whole sign-in, consent given within the server',
    units: ['signIn'],
    asksStore: true,
    needsUsers: true,
    probes: ['codeProbe'],
    measure: rate,
  },
  {
    name: 'call',
    title: 'W3: a guarded tool call',
    units: ['call', 'openCall'],
    probes: ['guardProbe'],
    measure: rate,
  },
  {
    name: 'first-call',
    title: 'W3: the first call of a token',
    units: ['firstCall', 'openCall'],
    settings: { tokensEach: 400 },
    measure: rate,
  },
  {
    name: 'growth',
    title: 'W4: refresh and call among many live grants, at random',
    measure: growth,
  },
  {
    name: 'gateway-call',
    title: 'W5: a guarded tool call through the gateway',
    units: ['call'],
    isProxied: true,
    measure: rate,
  },
  {
    name: 'gateway-large',
    title: 'W5: an answer of 1 MiB through the gateway',
    units: ['largeAnswer'],
    isProxied: true,
    measure: rate,
  },
  {
    name: 'gateway-body',
    title: 'W5: a request of 1 MiB through the gateway',
    units: ['largeBody'],
    isProxied: true,
    measure: rate,
  },
  {
    name: 'gateway-streams',
    title: 'W5: event streams through the gateway, and 100 MiB in one answer',
    measure: streams,
  },
  { name: 'start', title: 'W6: start-up and idle memory', measure: start },
  { name: 'replicas', title: 'W7: two replicas on one store', measure: replicas },
]
