/** What is measured, in the order of the tables. */
import { rate } from './rate.js'

export const WORKLOADS = [
  {
    name: 'refresh',
    title: 'W1: refresh with rotation',
    units: ['refresh'],
    probes: ['refreshProbe'],
    measure: rate,
  },
  {
    name: 'sign-in',
    title: 'W2: a whole sign-in, consent given within the server',
    units: ['signIn'],
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
]
