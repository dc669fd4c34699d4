/**
 * The verbs over Redis, each one step on one key.
 *
 * Hints are written before their record and taken away after it, so that a listing misses none; what is
 * left over when something breaks between is a hint that fits no record, and goes when it is met. Only
 * the set of what expires may miss one in rare races: Redis lets such a record go by itself, later.
 */
import { randomSecret } from '../crypto/random.ts'
import type { Kind, Records } from './records.ts'
import { ask, script, type KeyedCommand, type RedisExecutor, type Reply } from './redis_executor.ts'
import { hintOf, keyText, type RedisKeys } from './redis_keys.ts'
import { createDraft, NONE, readRecord, type RedisDraft, type RedisRecord } from './redis_record.ts'
import { HINT, INSERT, REPLACE, TAKE } from './redis_scripts.ts'
import { StoreUnavailable } from './store.ts'

/** One Redis, and this instance of a server on it. */
export interface RedisPlace {
  readonly executor: RedisExecutor
  readonly keys: RedisKeys
  /** By which an instance knows what it has told itself. */
  readonly instance: string
  /** How many replicas must have a write before it is answered. */
  readonly replicas: number
}

export async function find<K extends Kind>(
  { executor, keys }: RedisPlace,
  kind: K,
  id: string,
): Promise<RedisRecord<K> | undefined> {
  const key = keys.record(kind, id)
  return readRecord<K>(await ask(executor, key, ['GET', key]))
}

export async function insert(place: RedisPlace, draft: RedisDraft): Promise<boolean> {
  const mark = draft.entries.length === 0 ? NONE : createMark()
  const hinted = await addHints(place, draft, mark)
  const write = script(place.keys.record(draft.kind, draft.id), INSERT, words(draft, mark, hinted))
  const [answer] = await place.executor.sendAll([write, ...scoreExpiry(place, draft)])
  await waitForReplicas(place, write.key, answer)
  if (answer === 1) return true
  await dropHints(place, draft, mark)
  return inTime(answer)
}

export async function replace(
  place: RedisPlace,
  draft: RedisDraft,
  version: number,
): Promise<boolean> {
  // Nearly always the hints stay as they are, and this is all.
  const answer = await write(place, draft, version, '', '')
  return answer === 2 ? replaceHinted(place, draft, version) : inTime(answer)
}

/** A replacement that is to be listed elsewhere than before, or expires earlier. */
async function replaceHinted(
  place: RedisPlace,
  draft: RedisDraft,
  version: number,
): Promise<boolean> {
  const held = await find(place, draft.kind, draft.id)
  if (held === undefined || held.version !== version) return false
  await place.executor.sendAll(scoreExpiry(place, draft))
  if (held.fingerprint === draft.fingerprint) {
    return inTime(await write(place, draft, version, held.mark, ''))
  }
  const mark = draft.entries.length === 0 ? NONE : createMark()
  const hinted = await addHints(place, draft, mark)
  const answer = await write(place, draft, version, mark, hinted)
  if (answer === 1) await dropHints(place, createDraft(draft.kind, held.record), held.mark)
  else await dropHints(place, draft, mark)
  return inTime(answer)
}

async function write(
  place: RedisPlace,
  draft: RedisDraft,
  version: number,
  mark: string,
  hinted: string,
): Promise<unknown> {
  const key = place.keys.record(draft.kind, draft.id)
  const told = tell(place, draft.kind, draft.id)
  const writing = script(key, REPLACE, [...words(draft, mark, hinted), `${version}`, ...told])
  return sendWrite(place, writing)
}

export async function take<K extends Kind>(
  place: RedisPlace,
  kind: K,
  id: string,
): Promise<Records[K] | undefined> {
  const key = place.keys.record(kind, id)
  const taking = script(key, TAKE, [createMark(), ...tell(place, kind, id)])
  const held = readRecord<K>(await sendWrite(place, taking))
  if (held === undefined) return undefined
  await forget(place, kind, held)
  return held.record
}

/** Sends the write of a record. */
async function sendWrite(place: RedisPlace, write: KeyedCommand): Promise<Reply> {
  const reply = await place.executor.send(write)
  await waitForReplicas(place, write.key, reply)
  return reply
}

/** What was done, by what the write was answered, is to be on the replicas too. */
async function waitForReplicas(
  { executor, replicas }: RedisPlace,
  key: string,
  reply: Reply,
): Promise<void> {
  const done = reply === 1 || typeof reply === 'string'
  if (replicas === 0 || !done) return
  const heard = (await executor.wait?.(key, replicas)) ?? 0
  if (heard >= replicas) return
  throw new StoreUnavailable(`Redis has it on ${heard} of ${replicas} replicas`)
}

/** Takes away what pointed to a record that is gone. What is left when this fails points to nothing. */
export async function forget<K extends Kind>(
  place: RedisPlace,
  kind: K,
  held: RedisRecord<K>,
): Promise<void> {
  const draft = createDraft(kind, held.record)
  await Promise.all([
    dropHints(place, draft, held.mark),
    held.expires === NONE ? undefined : attempt(place, [dropExpiry(place, kind, draft.id)]),
  ])
}

/** How the set of what expires names no more the record of an id. */
export function dropExpiry({ keys }: RedisPlace, kind: Kind, id: string): KeyedCommand {
  const key = keys.expiry(kind)
  return { key, command: ['ZREM', key, keyText(id)] }
}

/** The channel and the words by which others hear that a grant has changed. */
export function tell({ keys, instance }: RedisPlace, kind: Kind, id: string): [string, string] {
  return kind === 'grant' ? [keys.channel, `${instance} ${JSON.stringify(id)}`] : ['', '']
}

/** Tries what may fail without harm. */
export async function attempt(
  { executor }: RedisPlace,
  commands: readonly KeyedCommand[],
): Promise<void> {
  if (commands.length === 0) return
  await executor.sendAll(commands).catch(() => undefined)
}

/** Writes the hints of a draft and gives when, by the clock that was behind; '' when there are none. */
async function addHints(place: RedisPlace, draft: RedisDraft, mark: string): Promise<string> {
  if (draft.entries.length === 0) return ''
  const hint = hintOf(draft.id, mark)
  const times = await place.executor.sendAll(
    hintKeys(place, draft).map((key) => script(key, HINT, [hint])),
  )
  return `${Math.min(...times.map(Number))}`
}

async function dropHints(place: RedisPlace, draft: RedisDraft, mark: string): Promise<void> {
  const hint = hintOf(draft.id, mark)
  const drop = (key: string): KeyedCommand => ({
    key,
    command: ['ZREMRANGEBYLEX', key, `[${hint}`, `(${hint}~`],
  })
  await attempt(place, hintKeys(place, draft).map(drop))
}

function hintKeys({ keys }: RedisPlace, { kind, entries }: RedisDraft): readonly string[] {
  return entries.map(([index, value]) => keys.index(kind, index, value))
}

/** Never later than it is scored already: who cleans up finds it early, and scores it anew. */
function scoreExpiry({ keys }: RedisPlace, draft: RedisDraft): readonly KeyedCommand[] {
  const { kind, id, expiresAt } = draft
  if (expiresAt === undefined) return []
  const key = keys.expiry(kind)
  return [{ key, command: ['ZADD', key, 'LT', `${expiresAt}`, keyText(id)] }]
}

function words(draft: RedisDraft, mark: string, hinted: string): readonly string[] {
  const expires = draft.expiresAt === undefined ? NONE : `${draft.expiresAt}`
  return [expires, draft.fingerprint, mark, createMark(), draft.json, hinted]
}

function createMark(): string {
  return randomSecret(6)
}

function inTime(answer: unknown): boolean {
  if (answer !== -1) return answer === 1
  throw new StoreUnavailable('Redis was reached too late')
}
