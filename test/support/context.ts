/**
 * A Context by hand: what every room below the server can be tested with, without a server.
 *
 * The clock stands still until a test moves it, and every event is kept. The upstream and `fetch` are
 * the network's edge: each refuses until a test hands in its own.
 */
import { createKeyring, generateKey } from '../../src/crypto/keyring.ts'
import { createRateLimiter } from '../../src/http/rate_limit.ts'
import { FetchError } from '../../src/http/safe_fetch.ts'
import type { Config, Context } from '../../src/server/config/context.ts'
import {
  LIFETIMES,
  MAX_GRANTS_PER_CLIENT,
  METADATA_DOCUMENTS,
  RATE_LIMITS,
  REGISTRATION,
} from '../../src/server/config/defaults.ts'
import { createEvents, type EmittedEvent } from '../../src/server/config/events.ts'
import { memory } from '../../src/stores/memory.ts'
import { type RedirectUpstream, UpstreamError } from '../../src/upstream/upstream.ts'

/** When a test begins, in seconds since the epoch. */
export const START = 1_800_000_000

export const RESOURCE = 'https://mcp.example.com/mcp'
export const OTHER_RESOURCE = 'https://mcp.example.com/other'

/** A context and the hands that move it. */
export interface TestContext {
  readonly context: Context
  /** Every event so far, in order. */
  readonly events: readonly EmittedEvent[]
  /** Moves the clock; a negative number turns it back. */
  advance(seconds: number): void
  /** The types of the events so far. */
  eventTypes(): readonly string[]
}

/** Members of the context to set, and members of its config. */
export interface TestContextOptions extends Partial<Omit<Context, 'config'>> {
  readonly config?: Partial<Config>
}

/** A context over a memory store, with a fresh key, two resources and three scopes. */
export function createTestContext(options: TestContextOptions = {}): TestContext {
  const { config, ...members } = options
  let now = START
  const clock = members.clock ?? ((): number => now)
  const events: EmittedEvent[] = []
  const context: Context = {
    config: testConfig(config),
    keys: createKeyring([generateKey()]),
    store: memory(),
    upstream: testUpstream(),
    events: createEvents([(event) => events.push(event)], clock),
    fetch: async () => {
      throw new FetchError('refused', 'this test reaches out to nobody')
    },
    limiter: createRateLimiter(),
    ...members,
    clock,
  }
  return {
    context,
    events,
    advance: (seconds) => {
      now += seconds
    },
    eventTypes: () => events.map(({ type }) => type),
  }
}

/** A judged configuration of an issuer at `https://mcp.example.com`. */
export function testConfig(config: Partial<Config> = {}): Config {
  const scopes = ['notes:read', 'notes:write', 'notes:delete']
  const tools = new Map([['delete_note', ['notes:delete']]])
  return {
    issuer: 'https://mcp.example.com',
    origin: 'https://mcp.example.com',
    basePath: '',
    secure: true,
    name: 'Example notes',
    resources: [
      { resource: RESOURCE, name: 'Notes', scopes, tools },
      { resource: OTHER_RESOURCE, name: 'Other', scopes: ['notes:read'], tools: new Map() },
    ],
    scopes: new Map([
      ['notes:read', 'Read your notes'],
      ['notes:write', 'Change your notes'],
      ['notes:delete', 'Delete your notes'],
    ]),
    hierarchy: new Map(),
    defaultScope: ['notes:read'],
    clients: new Map(),
    resourceServers: new Map(),
    allow: async () => true,
    lifetimes: LIFETIMES,
    registration: REGISTRATION,
    metadataDocuments: METADATA_DOCUMENTS,
    trustedProxies: [],
    rateLimits: RATE_LIMITS,
    allowedOrigins: [],
    maxGrantsPerClient: MAX_GRANTS_PER_CLIENT,
    ...config,
  }
}

/** An upstream that is down, with members of a test's own. */
export function testUpstream(members: Partial<RedirectUpstream> = {}): RedirectUpstream {
  const down = async (): Promise<never> => {
    throw new UpstreamError('transient', 'this test has no upstream')
  }
  return {
    type: 'redirect',
    id: 'test',
    name: 'Test upstream',
    authorizationUrl: down,
    exchange: down,
    refresh: down,
    revoke: down,
    ...members,
  }
}
