/**
 * What a server by the `mcp-oauth` skill has left in Redis, all of it in plain text:
 * `refresh:<token>` and `mcp_token:<token>` lead to a user id, and `user:<id>:tokens` has the upstream's
 * tokens.
 *
 * Every such server was pasted and then changed, so the values are read in every spelling that is usual.
 */
import { ask, type Command, type RedisExecutor, type Reply } from '../stores/redis_executor.ts'

/** A refresh token that is out. */
export interface SkillSession {
  readonly token: string
  readonly userId: string
  /** Seconds from now. */
  readonly expires_in: number
}

/** The upstream's tokens of one user. */
export interface SkillTokens {
  readonly access_token: string
  readonly refresh_token: string | undefined
  /** Seconds since the epoch; undefined when it was not kept. */
  readonly expires_at: number | undefined
  readonly scope: readonly string[] | undefined
}

const REFRESH = 'refresh:'
const ACCESS = 'mcp_token:'
const DAY = 24 * 60 * 60
/** How long the skill's refresh tokens live, for one that was stored without an end. */
const LIFETIME = 30 * DAY
// Numbers above are milliseconds: in seconds, this is the year 5138.
const MILLISECONDS = 1e11

export interface SkillKeys {
  /** Every refresh token that leads to a user. */
  sessions(): AsyncGenerator<SkillSession>
  findTokens(userId: string): Promise<SkillTokens | undefined>
  /** Replaces the tokens that the upstream has rotated, for whoever needs them next. */
  keepTokens(userId: string, tokens: SkillTokens): Promise<void>
  removeSession(token: string): Promise<void>
  removeUser(userId: string): Promise<void>
  /** Removes the access tokens of those users; gives how many. */
  removeAccessTokens(userIds: ReadonlySet<string>): Promise<number>
}

export function createSkillKeys(executor: RedisExecutor): SkillKeys {
  const run = (name: string, key: string, ...words: readonly string[]): Promise<Reply> =>
    ask(executor, key, [name, key, ...words])
  return {
    async *sessions() {
      for await (const key of scanKeys(executor, `${REFRESH}*`)) {
        const userId = readUserId(await findText(executor, key))
        const milliseconds = Number(await run('PTTL', key))
        if (userId === undefined || milliseconds === -2) continue
        const expires_in = milliseconds < 0 ? LIFETIME : Math.floor(milliseconds / 1000)
        yield { token: key.slice(REFRESH.length), userId, expires_in }
      }
    },
    findTokens: async (userId) => readTokens(await findText(executor, tokensKey(userId))),
    async keepTokens(userId, tokens) {
      await run('SET', tokensKey(userId), JSON.stringify(writeTokens(tokens)), 'KEEPTTL')
    },
    async removeSession(token) {
      await run('DEL', REFRESH + token)
    },
    async removeUser(userId) {
      await run('DEL', tokensKey(userId))
    },
    async removeAccessTokens(userIds) {
      let removed = 0
      for await (const key of scanKeys(executor, `${ACCESS}*`)) {
        const userId = readUserId(await findText(executor, key))
        if (userId === undefined || !userIds.has(userId)) continue
        removed += Number(await run('DEL', key))
      }
      return removed
    },
  }
}

function tokensKey(userId: string): string {
  return `user:${userId}:tokens`
}

/** Each key once, as far as Redis does; of every primary. */
async function* scanKeys(executor: RedisExecutor, pattern: string): AsyncGenerator<string> {
  for (const primary of await executor.primaries()) {
    let cursor = '0'
    do {
      const command: Command = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', '500']
      const reply = await primary(command)
      const [next, keys] = Array.isArray(reply) ? reply : ['0', []]
      cursor = String(next)
      if (Array.isArray(keys)) yield* keys.map(String)
    } while (cursor !== '0')
  }
}

/** Undefined for a key of another type: it is another program's. */
async function findText(executor: RedisExecutor, key: string): Promise<string | undefined> {
  if ((await ask(executor, key, ['TYPE', key])) !== 'string') return undefined
  const text = await ask(executor, key, ['GET', key])
  return typeof text === 'string' ? text : undefined
}

/** The user id is the whole value, or a member of it. */
function readUserId(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const value = parse(text)
  const id =
    typeof value === 'object' && value !== null
      ? pick(value, ['userId', 'user_id', 'sub', 'id'])
      : (value ?? text)
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

function readTokens(text: string | undefined): SkillTokens | undefined {
  const value = text === undefined ? undefined : parse(text)
  if (typeof value !== 'object' || value === null) return undefined
  const access_token = pick(value, ['access_token', 'accessToken'])
  const refresh_token = pick(value, ['refresh_token', 'refreshToken'])
  const scope = pick(value, ['scope', 'scopes'])
  if (typeof access_token !== 'string' || access_token === '') return undefined
  return {
    access_token,
    refresh_token: typeof refresh_token === 'string' && refresh_token ? refresh_token : undefined,
    expires_at: readTime(pick(value, ['expires_at', 'expiresAt'])),
    scope: typeof scope === 'string' ? scope.split(/[ ,]+/).filter(Boolean) : undefined,
  }
}

/** In every spelling that it is read in, so that the skill's server can go on with it, too. */
function writeTokens({ access_token, refresh_token, expires_at, scope }: SkillTokens): object {
  const milliseconds = expires_at === undefined ? undefined : expires_at * 1000
  return {
    ...{ access_token, accessToken: access_token },
    ...{ refresh_token, refreshToken: refresh_token },
    ...{ expires_at: milliseconds, expiresAt: milliseconds },
    scope: scope?.join(' '),
  }
}

function readTime(value: unknown): number | undefined {
  const time = typeof value === 'string' && Number.isNaN(Number(value)) ? Date.parse(value) : value
  const number = Number(time ?? Number.NaN)
  if (!Number.isFinite(number)) return undefined
  return Math.floor(number > MILLISECONDS ? number / 1000 : number)
}

function pick(value: object, names: readonly string[]): unknown {
  return names.map((name): unknown => Reflect.get(value, name)).find((one) => one !== undefined)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
