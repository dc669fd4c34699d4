/**
 * What Redis does in one step, in Lua, each on one key.
 *
 * A record is a string: `<version> <expiresAt> <fingerprint> <mark> <attempt>`, a line break, the JSON.
 * The fingerprint is of its index entries and the mark is that of its hints. The attempt names the write
 * that made it: clients send again what was on its way when a connection broke, and a write that is
 * done already is then answered as what it was, and not as one that somebody else was faster with.
 * Version 0 is a record that was taken a moment ago, kept for the same reason.
 */

/** How long a record outlives its `expiresAt` when nobody calls `deleteExpired`: 7 days, in seconds. */
export const GRACE: number = 7 * 86_400
/** How long it is known who took a record, in seconds: longer than anybody waits for the answer. */
const TAKEN_FOR = 15
/** A record may be written so many seconds after its hints, and no later. */
const HINT_HOLDS = 30
/** A hint that fits no record is taken away when it is so old, in seconds: nobody is writing its record. */
const HINT_STALE = 120

const HEAD = `local v, e, f, m, a = string.match(
    redis.call('GETRANGE', KEYS[1], 0, 200) or '', '^(%d+) (%S+) (%S+) (%S+) (%S+)\\n')
  if v == '0' then v = nil end`

const WRITE = `
  local now = tonumber(redis.call('TIME')[1])
  local function write(version, expires, fingerprint, mark, attempt, json)
    local value = table.concat({version, expires, fingerprint, mark, attempt}, ' ') .. '\\n' .. json
    local at = tonumber(expires)
    if at and at < 1e11 then
      redis.call('SET', KEYS[1], value, 'EX', math.max(math.ceil(at) - now, 0) + ${GRACE})
    else
      redis.call('SET', KEYS[1], value)
    end
  end
  local function late(hinted)
    return hinted ~= '' and now > tonumber(hinted) + ${HINT_HOLDS}
  end`

/** A replacement or a take that happened is told to whoever watches; in a cluster it reaches every node. */
const TELL = `if channel ~= '' then redis.call('PUBLISH', channel, message) end`

export const INSERT: string = `${WRITE}
  local expires, fingerprint, mark, attempt, json, hinted =
    ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
  ${HEAD}
  if v then
    if v == '1' and a == attempt then return 1 end
    return 0
  end
  if late(hinted) then return -1 end
  write(1, expires, fingerprint, mark, attempt, json)
  return 1`

/** 1 is done, 0 moved or gone, -1 too late, 2 that hints come first. */
export const REPLACE: string = `${WRITE}
  local expires, fingerprint, mark, attempt, json, hinted, version, channel, message =
    ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
  ${HEAD}
  if not v then return 0 end
  if v ~= version then
    if a == attempt then return 1 end
    return 0
  end
  if late(hinted) then return -1 end
  if mark == '' then
    if f ~= fingerprint then return 2 end
    if tonumber(expires) and not (tonumber(e) and tonumber(e) <= tonumber(expires)) then return 2 end
    mark = m
  end
  write(string.format('%.0f', tonumber(v) + 1), expires, fingerprint, mark, attempt, json)
  ${TELL}
  return 1`

export const TAKE: string = `
  local attempt, channel, message = ARGV[1], ARGV[2], ARGV[3]
  local value = redis.call('GET', KEYS[1])
  if not value then return false end
  if string.sub(value, 1, 2) == '0 ' then
    local by, held = string.match(value, '^0 (%S+) %- %- %-\\n(.*)$')
    if by == attempt then return held end
    return false
  end
  redis.call('SET', KEYS[1], '0 ' .. attempt .. ' - - -\\n' .. value, 'EX', ${TAKEN_FOR})
  ${TELL}
  return value`

/** Gives the record that was expired and is gone; else when it expires, or '-' when it never does. */
export const EXPIRE: string = `
  local now, channel, message = tonumber(ARGV[1]), ARGV[2], ARGV[3]
  ${HEAD}
  if not v then return false end
  local at = tonumber(e)
  if not at or at > now then return {e} end
  local value = redis.call('GET', KEYS[1])
  redis.call('DEL', KEYS[1])
  ${TELL}
  return {e, value}`

/** Adds a hint, and tells when by this key's clock: a record must follow soon. */
export const HINT: string = `
  local now = redis.call('TIME')[1]
  redis.call('ZADD', KEYS[1], 0, ARGV[1] .. now)
  return now`

/** Takes hints away that fit no record, but those whose record may be on its way. */
export const PRUNE: string = `
  local now = tonumber(redis.call('TIME')[1])
  for _, hint in ipairs(ARGV) do
    local at = tonumber(string.match(hint, '%.(%d+)$'))
    if not at or now - at > ${HINT_STALE} then redis.call('ZREM', KEYS[1], hint) end
  end
  return 1`
