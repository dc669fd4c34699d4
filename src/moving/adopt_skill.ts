/**
 * Takes over the sign-ins of a server by the `mcp-oauth` skill, whose user ids are random: who a user is
 * has to be asked of the upstream, with the token that is there.
 *
 * May be stopped and repeated. A plaintext key goes when what it leads to is kept, sealed or hashed.
 */
import type { McpOAuth } from '../server/server.ts'
import type { User } from '../stores/records.ts'
import { UpstreamError, type RedirectUpstream } from '../upstream/upstream.ts'
import type { SkillKeys, SkillSession, SkillTokens } from './skill_keys.ts'

export interface SkillAdoption {
  readonly keys: SkillKeys
  readonly auth: Pick<McpOAuth, 'adopt'>
  readonly upstream: RedirectUpstream
  /** Seconds since the epoch. */
  readonly clock: () => number
  /** Leaves the plaintext where it is. */
  readonly keep: boolean
  readonly tell: (done: number, total: number) => void
}

/** How many users and sessions there were, by what became of them. */
export interface SkillReport {
  users: { adopted: number; refused: number; later: number }
  sessions: { adopted: number; known: number; refused: number }
  removed: number
}

/** Seconds before its end from which on a token is not asked with any more. */
const LEEWAY = 30

interface Known {
  readonly user: User
  readonly tokens: SkillTokens
}

/** @throws TypeError when the upstream tells only at a sign-in who somebody is. StoreUnavailable passes through. */
export async function adoptSkill(adoption: SkillAdoption): Promise<SkillReport> {
  if (adoption.upstream.identify === undefined) {
    throw new TypeError(`${adoption.upstream.name} tells only at a sign-in who somebody is`)
  }
  const report: SkillReport = {
    users: { adopted: 0, refused: 0, later: 0 },
    sessions: { adopted: 0, known: 0, refused: 0 },
    removed: 0,
  }
  const byUser = await gather(adoption.keys)
  const refused: string[] = []
  let done = 0
  for (const [userId, sessions] of byUser) {
    const became = await adoptUser(adoption, userId, sessions, report)
    report.users[became] += 1
    if (became === 'adopted') await remove(adoption, userId, sessions, report)
    if (became === 'refused') refused.push(userId)
    done += 1
    adoption.tell(done, byUser.size)
  }
  // An upstream that knows nobody is the wrong one, and nothing is lost by it.
  if (report.users.adopted === 0) return report
  for (const userId of refused) await remove(adoption, userId, byUser.get(userId) ?? [], report)
  if (!adoption.keep) {
    report.removed += await adoption.keys.removeAccessTokens(new Set(byUser.keys()))
  }
  return report
}

async function gather(keys: SkillKeys): Promise<ReadonlyMap<string, readonly SkillSession[]>> {
  const byUser = new Map<string, Map<string, SkillSession>>()
  for await (const session of keys.sessions()) {
    const sessions = byUser.get(session.userId) ?? new Map<string, SkillSession>()
    byUser.set(session.userId, sessions.set(session.token, session))
  }
  return new Map([...byUser].map(([userId, sessions]) => [userId, [...sessions.values()]]))
}

async function adoptUser(
  adoption: SkillAdoption,
  userId: string,
  sessions: readonly SkillSession[],
  report: SkillReport,
): Promise<keyof SkillReport['users']> {
  const known = await identify(adoption, userId)
  if (known === 'later' || known === 'refused') return known
  const { access_token, refresh_token, expires_at, scope } = known.tokens
  const now = adoption.clock()
  for (const { token, expires_in } of sessions) {
    try {
      const became = await adoption.auth.adopt({
        refresh_token: token,
        user: known.user,
        tokens: {
          access_token,
          refresh_token,
          expires_in: expires_at === undefined ? undefined : Math.max(0, expires_at - now),
          scope,
          token_endpoint: undefined,
        },
        expires_at: now + expires_in,
      })
      report.sessions[became] += 1
    } catch (error) {
      // Over by now, or too short to be a token. Its client signs in anew.
      if (!(error instanceof RangeError)) throw error
      report.sessions.refused += 1
    }
  }
  return 'adopted'
}

/** Who the user is, as the upstream says; `refused` when it will not say any more, `later` when it may. */
async function identify(
  { keys, upstream, clock }: SkillAdoption,
  userId: string,
): Promise<Known | 'refused' | 'later'> {
  const held = await keys.findTokens(userId)
  if (held === undefined || upstream.identify === undefined) return 'refused'
  const isOver = held.expires_at !== undefined && clock() >= held.expires_at - LEEWAY
  let failure: UpstreamError = new UpstreamError('permanent', 'the token is over')
  if (!isOver) {
    const user = await attempt(upstream.identify(held.access_token))
    if (!(user instanceof UpstreamError)) return { user, tokens: held }
    failure = user
  }
  if (held.refresh_token === undefined || failure.failure === 'transient') return outcomeOf(failure)
  const renewed = await attempt(upstream.refresh(held.refresh_token, undefined))
  if (renewed instanceof UpstreamError) return outcomeOf(renewed)
  const { access_token, refresh_token = held.refresh_token, expires_in, scope } = renewed
  const expires_at = expires_in === undefined ? undefined : clock() + expires_in
  const tokens = { access_token, refresh_token, expires_at, scope: scope ?? held.scope }
  // Kept before they are used: the upstream may never give them again.
  await keys.keepTokens(userId, tokens)
  const user = await attempt(upstream.identify(access_token))
  return user instanceof UpstreamError ? outcomeOf(user) : { user, tokens }
}

async function attempt<T>(asked: Promise<T>): Promise<T | UpstreamError> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof UpstreamError) return error
    throw error
  }
}

function outcomeOf({ failure }: UpstreamError): 'refused' | 'later' {
  return failure === 'transient' ? 'later' : 'refused'
}

async function remove(
  { keys, keep }: SkillAdoption,
  userId: string,
  sessions: readonly SkillSession[],
  report: SkillReport,
): Promise<void> {
  if (keep) return
  for (const { token } of sessions) await keys.removeSession(token)
  await keys.removeUser(userId)
  report.removed += sessions.length + 1
}
