/** Every fault by its name: what breaks, and what must hold all the same. */
import { clocksApart } from './clocks.ts'
import { cutAnswers } from './cut_answer.ts'
import type { Ground } from './ground.ts'
import { failovers } from './failover.ts'
import type { Finding } from './finding.ts'
import { killRounds } from './kill.ts'
import { leaseHolder } from './lease_holder.ts'
import { outages } from './outages.ts'
import { races, upstreamRace } from './races.ts'
import { revocationDelay } from './revocation_delay.ts'
import { stolenStore } from './stolen.ts'
import { upstreamDown } from './upstream_down.ts'
import { upstreamTrouble } from './upstream_trouble.ts'

export interface Fault {
  readonly name: string
  run(ground: Ground, rounds: number, finding: Finding): Promise<void>
}

export const FAULTS: readonly Fault[] = [
  { name: 'kill', run: killRounds },
  { name: 'race', run: races },
  { name: 'upstream race', run: upstreamRace },
  { name: 'upstream down', run: upstreamDown },
  { name: 'upstream trouble', run: upstreamTrouble },
  { name: 'lease holder', run: leaseHolder },
  { name: 'revocation delay', run: revocationDelay },
  { name: 'clocks', run: clocksApart },
  { name: 'cut answer', run: cutAnswers },
  { name: 'stolen store', run: stolenStore },
  { name: 'outage', run: outages },
  { name: 'failover', run: failovers },
]
