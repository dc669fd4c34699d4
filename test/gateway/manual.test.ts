import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { gatewayHelp, HELP } from '../../src/cli/help.ts'
import { TIMEOUTS } from '../../src/gateway/backend.ts'
import { CONFIG_FILE } from '../../src/gateway/config_shape.ts'
import { environmentName, FLAGS, isInEnvironment } from '../../src/gateway/flags.ts'
import { CALLS_PER_USER, DRAIN, RECHECK } from '../../src/gateway/gateway.ts'
import { IDENTITIES } from '../../src/gateway/identity.ts'
import { PORT } from '../../src/gateway/plan.ts'
import type { Shape } from '../../src/gateway/shape.ts'
import { STORE } from '../../src/gateway/store_setting.ts'
import { presetNames } from '../../src/upstream/setting.ts'

const written = await readFile(new URL('../../docs/gateway.md', import.meta.url), 'utf8')
// Tables are padded by the formatter.
const manual = written.replaceAll(/ {2,}\|/g, ' |')
const help = gatewayHelp()

describe.each(FLAGS)('--$name', (flag) => {
  it('is in the manual, with its variable and its key', () => {
    const row = manual.split('\n').find((line) => line.startsWith(`| \`--${flag.name}`)) ?? manual
    if (flag.name === 'help') return
    if (flag.onCommandLine === false) expect(manual).not.toContain(`--${flag.name}`)
    else
      expect(row).toContain(`\`--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}\``)
    if (isInEnvironment(flag)) expect(row).toContain(`\`${environmentName(flag)}\``)
    if (flag.key !== undefined) expect(row.replace(' (`false`)', '')).toContain(keyOf(flag.key))
  })

  it('is in the help', () => {
    expect(help).toContain(flag.onCommandLine === false ? environmentName(flag) : `--${flag.name}`)
  })
})

/** `upstream.name` for a member of a group. */
function keyOf(key: readonly [string, string?]): string {
  return `\`${key.filter((part) => part !== undefined).join('.')}\``
}

function keysOf(shape: Shape): readonly string[] {
  if (shape.is === 'list' || shape.is === 'record') return keysOf(shape.of)
  if (shape.is === 'either') return shape.shapes.flatMap(keysOf)
  if (shape.is !== 'group') return []
  return Object.entries(shape.members).flatMap(([name, member]) => [name, ...keysOf(member)])
}

// Those of the library's own options in lists are in the library's manual.
const ELSEWHERE = /^(client_name|redirect_uris|token_endpoint_auth_method|jwks|jwks_uri)$/

it.each(keysOf(CONFIG_FILE).filter((key) => !ELSEWHERE.test(key)))(
  'the key %s is in the manual',
  (key) => expect(manual).toMatch(new RegExp(`[\`".,\\[{ ]${key}[\`".,\\]} ]`)),
)

it.each([
  ...Object.entries(TIMEOUTS).map(([name, value]) => [`timeouts.${name}`, value] as const),
  ['recheck', RECHECK] as const,
  ['callsPerUser', CALLS_PER_USER] as const,
  ['drain', DRAIN] as const,
])('the default of %s is told', (key, value) => {
  expect(manual).toContain(`| \`${key}\` | \`${value}\` |`)
})

it('the other defaults and choices are told', () => {
  for (const told of [String(PORT), STORE, ...IDENTITIES]) {
    expect(manual).toContain(told)
    expect(help).toContain(told)
  }
})

it('every upstream is told', () => {
  for (const name of presetNames) expect(manual).toContain(`\`${name}\``)
})

it('help fits a terminal', () => {
  for (const line of [...help.split('\n'), ...HELP.split('\n')]) {
    expect(line.length).toBeLessThanOrEqual(100)
  }
})
