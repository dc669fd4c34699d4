/**
 * `mcp-oauth keys rotate`: seals anew what older keys have sealed, and tells what is left of each.
 */
import { parseArgs } from 'node:util'
import { createKeyring, judgeKeys, type Keyring } from '../crypto/keyring.ts'
import { openStore } from '../gateway/open_store.ts'
import type { Environment } from '../gateway/read_environment.ts'
import { countSeals, reseal, type SealCount } from '../moving/reseal.ts'
import type { Store } from '../stores/store.ts'
import type { Terminal } from './terminal.ts'

export const KEYS_ROTATE_HELP = `Usage: mcp-oauth keys rotate [--check] [--store <store>]

Seals anew, with the first key of MCP_OAUTH_KEYS, what its other keys have sealed. Runs beside servers
at work, may be stopped at any moment, and goes on when it is run again. The order of a rotation:

  1. Put the new key second on every server. One that lacks it opens nothing that it seals.
  2. Put it first on every server.
  3. Run this, with the same keys, until nothing is left under the old one.
  4. Drop the old key when the tokens made with it are over; this says when.

  --check   Only counts. The status is 1 while anything is left.
  --store   The store, as the gateway has it. Default: MCP_OAUTH_STORE, or sqlite:./mcp-oauth.db
  --help    Shows this.
`

/** @returns the exit status. */
export async function keysRotate(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment = process.env,
): Promise<number> {
  const options = { store: { type: 'string' }, check: { type: 'boolean' } } as const
  let values
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch {
    terminal.fault('keys rotate takes only --check and --store <store>')
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
    return await rotate(store, createKeyring(given), values.check === true, terminal)
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
  const before = await countSeals(store, keys)
  const all = [...before.byKid.values()].reduce((sum, count) => sum + count, 0)
  if (all > 0 && before.unopenable === all) {
    terminal.fault('none of these keys opens anything in this store: are they of another one?')
    return 1
  }
  if (!check) await reseal(store, keys, tellEach(terminal))
  const after = check ? before : await countSeals(store, keys)
  return report(after, keys, terminal)
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
