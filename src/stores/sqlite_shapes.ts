/**
 * How a record of each kind lies in the file: its members by position, so that their names need not
 * stand in every row. The lists are part of the schema. A member that is not in them is kept by its
 * name, so that one of a later release is neither lost nor taken for another.
 *
 * The members that are indexed come first: as long as a row begins with the same bytes, so are its
 * index entries. A `word` is a text that the configuration chooses, and that many rows have alike.
 */
import type { Indexes, Kind, Records } from './records.ts'

/** How a member lies: by itself, as a word or a list of words, or as an object or a list of objects. */
export type Member = 'plain' | 'word' | Shape

/** The members of an object by position. */
export interface Shape {
  readonly names: readonly string[]
  readonly members: readonly Member[]
  /** Those that need not be kept by name. */
  readonly known: ReadonlySet<string>
}

/** The members of a record by position; its id has a column. */
export interface RecordShape extends Shape {
  /** How many of them are indexed. */
  readonly indexed: number
}

type Members = { readonly [name: string]: Member }
type MembersOf<K extends Kind> = { readonly [N in Exclude<keyof Records[K], 'id'>]?: Member }

function shape(members: Members): Shape {
  const names = Object.keys(members)
  return { names, members: Object.values(members), known: new Set(names) }
}

function record<K extends Kind>(
  indexed: { readonly [N in Indexes[K]]: Member },
  others: MembersOf<K>,
): RecordShape {
  const whole = shape({ ...(indexed as Members), ...(others as Members) })
  const known = new Set(['id', ...whole.names])
  return { ...whole, known, indexed: Object.keys(indexed).length }
}

const METADATA = shape({
  client_name: 'plain',
  client_uri: 'plain',
  redirect_uris: 'plain',
  grant_types: 'word',
  response_types: 'word',
  token_endpoint_auth_method: 'word',
  application_type: 'word',
  scope: 'plain',
  jwks: 'plain',
  jwks_uri: 'plain',
  software_id: 'plain',
  software_version: 'plain',
})

const USER = shape({
  issuer: 'word',
  sub: 'plain',
  name: 'plain',
  email: 'plain',
  email_verified: 'plain',
})

const CODE = shape({
  redirect_uri: 'plain',
  code_challenge: 'plain',
  expiresAt: 'plain',
  redeemedAt: 'plain',
})

const ANSWER = shape({ kid: 'word', issuedAt: 'plain', exp: 'plain', scope: 'word' })

const PREVIOUS = shape({ jti: 'plain', answer: ANSWER, until: 'plain' })

const REFRESH = shape({
  generation: 'plain',
  jti: 'plain',
  previous: PREVIOUS,
  idleExpiresAt: 'plain',
  absoluteExpiresAt: 'plain',
})

const REVOKED = shape({ jti: 'plain', expiresAt: 'plain' })

const LEASE = shape({ holder: 'plain', until: 'plain' })

/** The shape of each kind. */
export const SHAPES: { readonly [K in Kind]: RecordShape } = {
  client: record<'client'>(
    {},
    {
      source: 'word',
      metadata: METADATA,
      client_secret_hash: 'plain',
      createdAt: 'plain',
      freshUntil: 'plain',
      expiresAt: 'plain',
    },
  ),
  ticket: record<'ticket'>(
    {},
    {
      type: 'word',
      step: 'word',
      browserHash: 'plain',
      csrfHash: 'plain',
      client_id: 'plain',
      redirect_uri: 'plain',
      state: 'plain',
      code_challenge: 'plain',
      scope: 'word',
      resource: 'word',
      prompt: 'plain',
      login_hint: 'plain',
      subject: 'plain',
      upstreamSecrets: 'plain',
      createdAt: 'plain',
      expiresAt: 'plain',
    },
  ),
  grant: record<'grant'>(
    { subject: 'plain', client_id: 'plain', connectionId: 'plain' },
    {
      resource: 'word',
      scope: 'word',
      user: USER,
      createdAt: 'plain',
      endedAt: 'plain',
      endReason: 'word',
      code: CODE,
      refresh: REFRESH,
      revokedTokens: REVOKED,
      expiresAt: 'plain',
    },
  ),
  connection: record<'connection'>(
    { subject: 'plain' },
    {
      upstream: 'word',
      token_endpoint: 'word',
      access_token: 'plain',
      refresh_token: 'plain',
      scope: 'plain',
      accessExpiresAt: 'plain',
      deadAt: 'plain',
      lease: LEASE,
      updatedAt: 'plain',
      expiresAt: 'plain',
    },
  ),
  claim: record<'claim'>({}, { value: 'plain', expiresAt: 'plain' }),
  event: record<'event'>(
    { subject: 'plain', client_id: 'plain' },
    { type: 'word', at: 'plain', detail: 'plain', expiresAt: 'plain' },
  ),
}
