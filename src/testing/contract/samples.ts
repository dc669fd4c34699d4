/**
 * A record of each kind with every field filled, to be varied by tests. The secrets in them are made
 * up: their shape is right and they open nothing.
 */
import assert from 'node:assert/strict'
import { sha256 } from '../../crypto/hash.ts'
import type { Sealed } from '../../crypto/seal.ts'
import type {
  ClaimRecord,
  ClientRecord,
  ConnectionRecord,
  EventRecord,
  GrantRecord,
  Records,
  TicketRecord,
} from '../../stores/records.ts'

/** The time in these records, seconds since the epoch. */
export const NOW = 1_800_000_000

const sealed = 's1.AbCdEf.c2VhbGVk' as Sealed

export function sampleClient(change: Partial<ClientRecord> = {}): ClientRecord {
  return {
    id: 'client',
    expiresAt: NOW + 86_400,
    source: 'dynamic',
    metadata: {
      client_name: 'Example',
      client_uri: 'https://client.example.com',
      redirect_uris: ['https://client.example.com/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      application_type: 'web',
      scope: 'notes:read',
      jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] },
      jwks_uri: undefined,
      software_id: 'example',
      software_version: '1.0',
    },
    client_secret_hash: sha256('secret'),
    createdAt: NOW,
    freshUntil: undefined,
    ...change,
  }
}

export function sampleTicket(change: Partial<TicketRecord> = {}): TicketRecord {
  return {
    id: 'ticket',
    expiresAt: NOW + 600,
    type: 'authorization',
    step: 'consent',
    browserHash: sha256('browser'),
    csrfHash: sha256('csrf'),
    client_id: 'client',
    redirect_uri: 'https://client.example.com/callback',
    state: 'state',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    scope: ['notes:read'],
    resource: 'https://mcp.example.com/mcp',
    prompt: [],
    login_hint: undefined,
    subject: undefined,
    upstreamSecrets: sealed,
    createdAt: NOW,
    ...change,
  }
}

export function sampleGrant(change: Partial<GrantRecord> = {}): GrantRecord {
  return {
    id: 'grant',
    expiresAt: NOW + 86_400,
    subject: 'https://idp.example.com user',
    client_id: 'client',
    resource: 'https://mcp.example.com/mcp',
    scope: ['notes:read', 'notes:write'],
    connectionId: 'connection',
    user: {
      issuer: 'https://idp.example.com',
      sub: 'user',
      name: 'Ada',
      email: 'ada@example.com',
      email_verified: true,
    },
    createdAt: NOW,
    endedAt: undefined,
    endReason: undefined,
    code: {
      redirect_uri: 'https://client.example.com/callback',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      expiresAt: NOW + 60,
      redeemedAt: undefined,
    },
    refresh: sampleRefresh(0),
    revokedTokens: [{ jti: 'token', expiresAt: NOW + 3600 }],
    ...change,
  }
}

/** The refresh family of a grant in its `generation`. */
export function sampleRefresh(generation: number): NonNullable<GrantRecord['refresh']> {
  return {
    generation,
    jti: `refresh ${generation}`,
    previous: {
      jti: `refresh ${generation - 1}`,
      answer: { kid: 'abcdef', issuedAt: NOW, exp: NOW + 3600, scope: ['notes:read'] },
      until: NOW + 30,
    },
    idleExpiresAt: NOW + 86_400,
    absoluteExpiresAt: NOW + 864_000,
  }
}

export function sampleConnection(change: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    id: 'connection',
    expiresAt: undefined,
    subject: 'https://idp.example.com user',
    upstream: 'https://idp.example.com',
    token_endpoint: 'https://idp.example.com/token',
    access_token: sealed,
    refresh_token: sealed,
    scope: ['repo'],
    accessExpiresAt: NOW + 3600,
    deadAt: undefined,
    lease: { holder: 'instance', until: NOW + 10 },
    updatedAt: NOW,
    ...change,
  }
}

export function sampleClaim(change: Partial<ClaimRecord> = {}): ClaimRecord {
  return { id: 'claim', expiresAt: NOW + 300, value: 'value', ...change }
}

export function sampleEvent(change: Partial<EventRecord> = {}): EventRecord {
  return {
    id: 'event',
    expiresAt: NOW + 86_400,
    type: 'grant_begun',
    at: NOW,
    subject: 'https://idp.example.com user',
    client_id: 'client',
    detail: { scope: ['notes:read'], count: 1.5, first: true, left_out: undefined },
    ...change,
  }
}

/** One record of each kind. */
export const SAMPLES: Records = {
  client: sampleClient(),
  ticket: sampleTicket(),
  grant: sampleGrant(),
  connection: sampleConnection(),
  claim: sampleClaim(),
  event: sampleEvent(),
}

/** Equal in what is stored: a member that is undefined is the same as none. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected))
}

/** What is left of a value when it is stored. */
export function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
