/**
 * Judges the names of the options. JavaScript lets a misspelt one pass, and with `alow` everybody may enter.
 */
import { LIFETIMES, METADATA_DOCUMENTS, RATE_LIMITS, REGISTRATION } from './defaults.ts'
import type { Fault } from './fault.ts'
import type { AllowOptions, Options, ResourceOptions } from './options.ts'
import { suggest } from './suggest.ts'

/** Every name, which the compiler sees to. */
type Names<T> = { readonly [name in keyof T]-?: true }

const OPTIONS: Names<Options> = {
  issuer: true,
  resource: true,
  resources: true,
  keys: true,
  store: true,
  upstream: true,
  name: true,
  scopes: true,
  defaultScope: true,
  tools: true,
  clients: true,
  resourceServers: true,
  allow: true,
  lifetimes: true,
  registration: true,
  clientIdMetadataDocuments: true,
  trustedProxies: true,
  rateLimits: true,
  allowedOrigins: true,
  maxGrantsPerClient: true,
  onEvent: true,
  dangerouslyAllowHttp: true,
  clock: true,
}
const ALLOW: Names<AllowOptions> = { emails: true, domains: true, subjects: true }
const RESOURCE: Names<ResourceOptions> = { resource: true, name: true, scopes: true, tools: true }

export function judgeNames(options: Options, fault: Fault): void {
  judge('', options, OPTIONS, fault)
  judge('allow.', options.allow, ALLOW, fault)
  judge('lifetimes.', options.lifetimes, LIFETIMES, fault)
  judge('registration.', options.registration, REGISTRATION, fault)
  judge('clientIdMetadataDocuments.', options.clientIdMetadataDocuments, METADATA_DOCUMENTS, fault)
  judge('rateLimits.', options.rateLimits, RATE_LIMITS, fault)
  judge('resource.', options.resource, RESOURCE, fault)
  for (const resource of options.resources ?? []) judge('resources.', resource, RESOURCE, fault)
}

/** What is left undefined is as good as not there. */
function judge(place: string, given: unknown, known: object, fault: Fault): void {
  if (typeof given !== 'object' || given === null) return
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(known, name)) continue
    fault(`${place}${name}`, `is no option${suggest(name, Object.keys(known))}`)
  }
}
