/**
 * Judges everything that is a number, a switch or a list of places, and fills in the defaults.
 */
import { isIP } from 'node:net'
import { hasFlag, isWorkers } from '../../http/runtime.ts'
import type { Config } from './context.ts'
import {
  LIFETIMES,
  MAX_GRANTS_PER_CLIENT,
  METADATA_DOCUMENTS,
  RATE_LIMITS,
  REGISTRATION,
} from './defaults.ts'
import type { Fault } from './fault.ts'
import type { Lifetimes, Options } from './options.ts'

type Limits = Pick<
  Config,
  | 'lifetimes'
  | 'registration'
  | 'metadataDocuments'
  | 'trustedProxies'
  | 'rateLimits'
  | 'allowedOrigins'
  | 'maxGrantsPerClient'
>

const STRICTLY_PUBLIC = 'global_fetch_strictly_public'
const YEAR = 366 * 24 * 60 * 60

export function judgeLimits(options: Options, fault: Fault): Limits {
  const limits: Limits = {
    lifetimes: { ...LIFETIMES, ...options.lifetimes },
    registration: { ...REGISTRATION, ...options.registration },
    metadataDocuments: { ...METADATA_DOCUMENTS, ...options.clientIdMetadataDocuments },
    trustedProxies: options.trustedProxies ?? [],
    rateLimits: { ...RATE_LIMITS, ...options.rateLimits },
    allowedOrigins: options.allowedOrigins ?? [],
    maxGrantsPerClient: options.maxGrantsPerClient ?? MAX_GRANTS_PER_CLIENT,
  }
  judgeLifetimes(limits.lifetimes, fault)
  judgeDocuments(limits, fault)
  judgePlaces(limits, fault)
  for (const [name, value] of Object.entries(limits.rateLimits)) {
    whole(`rateLimits.${name}`, value, [0, 1_000_000], fault)
  }
  whole('registration.unusedLifetime', limits.registration.unusedLifetime, [60, YEAR], fault)
  whole('registration.maxPerHour', limits.registration.maxPerHour, [0, 1_000_000], fault)
  whole('maxGrantsPerClient', limits.maxGrantsPerClient, [1, 1000], fault)
  return limits
}

function judgeLifetimes(lifetimes: Lifetimes, fault: Fault): void {
  const bounds: { readonly [name in keyof Lifetimes]: readonly [number, number] } = {
    accessToken: [10, 24 * 60 * 60],
    refreshTokenIdle: [60, 10 * YEAR],
    refreshTokenAbsolute: [60, 10 * YEAR],
    // RFC 6749 §4.1.2: ten minutes at most is RECOMMENDED.
    code: [5, 600],
    signIn: [30, 3600],
    replayWindow: [0, 600],
  }
  for (const [name, range] of Object.entries(bounds)) {
    whole(`lifetimes.${name}`, Reflect.get(lifetimes, name), range, fault)
  }
  if (lifetimes.refreshTokenIdle > lifetimes.refreshTokenAbsolute) {
    fault('lifetimes.refreshTokenIdle', 'must not be longer than lifetimes.refreshTokenAbsolute')
  }
}

function judgeDocuments({ metadataDocuments }: Limits, fault: Fault): void {
  const { minFresh, maxFresh, maxStale, fetchesPerHost, fetchesTotal } = metadataDocuments
  const option = 'clientIdMetadataDocuments'
  whole(`${option}.minFresh`, minFresh, [1, YEAR], fault)
  whole(`${option}.maxFresh`, maxFresh, [1, YEAR], fault)
  whole(`${option}.maxStale`, maxStale, [0, YEAR], fault)
  whole(`${option}.fetchesPerHost`, fetchesPerHost, [0, 1_000_000], fault)
  whole(`${option}.fetchesTotal`, fetchesTotal, [0, 1_000_000], fault)
  if (minFresh > maxFresh) fault(`${option}.minFresh`, 'must not be longer than maxFresh')
  // Without it, strangers' URLs on the Worker's own zone go to the servers behind it, past what guards them.
  if (metadataDocuments.enabled && isWorkers && !hasFlag(STRICTLY_PUBLIC)) {
    fault(option, `needs ${STRICTLY_PUBLIC} in compatibility_flags on Workers, or enabled: false`)
  }
}

function judgePlaces({ trustedProxies, allowedOrigins, registration }: Limits, fault: Fault): void {
  for (const proxy of trustedProxies.filter((one) => !isNetwork(one))) {
    fault('trustedProxies', `has ${JSON.stringify(proxy)}, which is no address such as 10.0.0.0/8`)
  }
  for (const origin of allowedOrigins.filter((one) => one !== '*' && !isOrigin(one))) {
    fault(
      'allowedOrigins',
      `has ${JSON.stringify(origin)}, which is no origin such as https://a.com`,
    )
  }
  for (const host of (registration.redirectHosts ?? []).filter((one) => !/^[\w.-]+$/.test(one))) {
    fault('registration.redirectHosts', `has ${JSON.stringify(host)}, which is no host name`)
  }
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  )
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function whole(
  option: string,
  value: unknown,
  [least, most]: readonly [number, number],
  fault: Fault,
): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
    return
  fault(option, `must be a whole number from ${least} to ${most}`)
}
