/**
 * Every default in one place, with the text that advises it.
 */
import type {
  Lifetimes,
  MetadataDocumentOptions,
  RateLimits,
  RegistrationOptions,
} from './options.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const LIFETIMES: Lifetimes = {
  // MCP, Token Theft: short-lived access tokens SHOULD be issued.
  accessToken: HOUR,
  // OAuth 2.1 §4.3.1: a refresh token SHOULD expire when unused for some time.
  refreshTokenIdle: 30 * DAY,
  refreshTokenAbsolute: 365 * DAY,
  // RFC 6749 §4.1.2 allows ten minutes; a program redeems at once.
  code: MINUTE,
  // MCP, Security Best Practices: at most ten minutes for the state of a sign-in.
  signIn: 10 * MINUTE,
  // Clients with two egresses refresh twice within seconds.
  replayWindow: 60,
}

export const REGISTRATION: RegistrationOptions = {
  dynamic: true,
  // RFC 7591 §5: unused registrations SHOULD expire.
  unusedLifetime: DAY,
  // RFC 7591 §5: the server needs to keep itself from being flooded. A quarter of a million at most.
  maxPerHour: 10_000,
  privateUseSchemes: true,
  redirectHosts: undefined,
}

export const METADATA_DOCUMENTS: MetadataDocumentOptions = {
  enabled: true,
  // CIMD §4.3: within bounds of its own, the server respects HTTP caching.
  minFresh: MINUTE,
  maxFresh: DAY,
  maxStale: 7 * DAY,
  fetchesPerHost: 30,
  fetchesTotal: 300,
  dangerouslyAllowPrivateAddresses: false,
}

export const RATE_LIMITS: RateLimits = {
  authorize: 120,
  token: 600,
  register: 60,
  introspect: 6000,
}

export const MAX_GRANTS_PER_CLIENT = 20

/** The hosts that hosted MCP clients redirect to, for `registration.redirectHosts`. */
export const WELL_KNOWN_REDIRECT_HOSTS: readonly string[] = [
  'claude.ai',
  'claude.com',
  'chatgpt.com',
  'api.smithery.ai',
  'connect.smithery.ai',
  'vscode.dev',
  'insiders.vscode.dev',
  'www.cursor.com',
]

/** Seconds by which the clocks of two instances may differ. What one of them drops, none may still need. */
export const CLOCK_SKEW = 30
