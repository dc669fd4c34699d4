/**
 * `mcp-oauth keys rotate`: seals anew what older keys have sealed, and tells what is left of each.
 */
import { parseArgs } from 'node:util'
import { createKeyring, judgeKeys, type Keyring } from '../crypto/keyring.ts'
import { openStore } from '../gateway/open_store.ts'
import type { Environment } from '../gateway/read_environment.ts'
import { checkRotation, enterNewest, forgetEverywhere, retireKeys } from '../moving/key_rotation.ts'
import { countSeals, reseal, type SealCount } from '../moving/reseal.ts'
import type { Store } from '../stores/store.ts'
import type { Terminal } from './terminal.ts'

export const KEYS_ROTATE_HELP = `Usage: mcp-oauth keys rotate [--check] [--forget <key>] [--store <store>]

Seals anew, with the first key of MCP_OAUTH_KEYS, what its other keys have sealed. Runs beside servers
at work, may be stopped at any moment, and goes on when it is run again. The order of a rotation:

  1. Put the new key second on every server. One that lacks it opens nothing that it seals.
  2. Put it first on every server.
  3. Run this, with the same keys, until nothing is left under the old one.
  4. Drop the old key when the tokens made with it are over; this says when.

The store remembers which keys seal in it, and no server starts without them. When nothing is left under
an old key, this lets servers start without it.

  --check    Only counts. The status is 1 while anything is left.
  --forget   Says that the key of this short name is lost for good: servers start without it, and whoever
             holds what it sealed signs in again. May be given several times.
  --store    The store, as the gateway has it. Default: MCP_OAUTH_STORE, or sqlite:./mcp-oauth.db
  --help     Shows this.
`

/** @returns the exit status. */
export async function keysRotate(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment = process.env,
): Promise<number> {
  const options = {
    store: { type: 'string' },
    check: { type: 'boolean' },
    forget: { type: 'string', multiple: true },
  } as const
  let values
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch {
    terminal.fault('keys rotate takes only --check, --forget=<key> and --store <store>')
    return 2
  }
  const texts = (environment['MCP_OAUTH_KEYS'] ?? '').split(',').map((text) => text.trim())
  const given = texts.filter((text) => text !== '')
  const faults = judgeKeys(given)
  for (const fault of faults) terminal.fault(`MCP_OAUTH_KEYS: ${fault}`)
  if (faults.length > 0) return 1
  const place = values.store ?? environment['MCP_OAUTH_STORE'] ?? 'sqlite:./mcp-oauth.db'
  const { store, close } = await openStore(place, environment)
  try {
    const keys = createKeyring(given)
    return values.forget === undefined
      ? await rotate(store, keys, values.check === true, terminal)
      : await forget(store, keys, values.forget, terminal)
  } finally {
    await close()
  }
}

async function rotate(
  store: Store,
  keys: Keyring,
  check: boolean,
  terminal: Terminal,
): Promise<number> {
  await checkRotation(store, keys)
  const before = await countSeals(store, keys)
  const all = [...before.byKid.values()].reduce((sum, count) => sum + count, 0)
  if (all > 0 && before.unopenable === all) {
    terminal.fault('none of these keys opens anything in this store: are they of another one?')
    return 1
  }
  if (!check) {
    await enterNewest(store, keys)
    await reseal(store, keys, tellEach(terminal))
  }
  const after = check ? before : await countSeals(store, keys)
  if (!check) await retireKeys(store, idleKeys(after, keys))
  return report(after, keys, terminal)
}

/** The older keys given, as far as nothing is left under them. */
function idleKeys({ byKid }: SealCount, keys: Keyring): readonly string[] {
  return keys.all.map(({ kid }) => kid).filter((kid) => kid !== keys.newest.kid && !byKid.has(kid))
}

async function forget(
  store: Store,
  keys: Keyring,
  kids: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let status = 0
  for (const kid of kids) {
    if (keys.find(kid) !== undefined) {
      terminal.fault(`${kid} is among MCP_OAUTH_KEYS, and not lost`)
      status = 1
    } else if (await forgetEverywhere(store, kid)) {
      terminal.tell(`${kid} is forgotten: servers start without it, and what it sealed is over`)
    } else {
      terminal.fault(`this store knows no key ${kid}`)
      status = 1
    }
  }
  return status
}

function tellEach(terminal: Terminal): (looked: number, written: number) => void {
  let next = 0
  return (looked, written) => {
    if (looked < next) return
    next = looked + 10_000
    terminal.tell(`${looked} records looked at, ${written} sealed anew`)
  }
}

function report(count: SealCount, keys: Keyring, terminal: Terminal): number {
  const kids = new Set([...keys.all.map(({ kid }) => kid), ...count.byKid.keys()])
  for (const kid of kids) {
    const newest = kid === keys.newest.kid ? ' (newest)' : ''
    const missing = keys.find(kid) === undefined ? ' (not in MCP_OAUTH_KEYS)' : ''
    terminal.out(`${kid}  ${count.byKid.get(kid) ?? 0} sealed${newest}${missing}\n`)
  }
  const old = [...kids].reduce(
    (sum, kid) => sum + (kid === keys.newest.kid ? 0 : (count.byKid.get(kid) ?? 0)),
    0,
  )
  if (count.unopenable > 0) terminal.fault(`${count.unopenable} values open with none of the keys`)
  if (old === 0 && kids.size > 1) terminal.tell(adviceOf(count))
  if (old > 0) terminal.tell(`${old} values are left under older keys; run \`keys rotate\` again`)
  return old === 0 && count.unopenable === 0 ? 0 : 1
}

/** Tokens carry a MAC, and cannot be made anew behind their clients. */
function adviceOf({ tokensUntil }: SealCount): string {
  if (tokensUntil === undefined) return 'Nothing needs the older keys; they can be dropped.'
  const at = new Date(tokensUntil * 1000).toISOString()
  return `Keep the older keys until ${at}: then the last token that is out now is over, if every server had the newest key first by now.`
}
