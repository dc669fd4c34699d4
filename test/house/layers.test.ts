/**
 * The layer check, against small trees that break one rule each; and against this package.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFiles } from '../support/temp.ts'

const SCRIPT = resolve(import.meta.dirname, '../../scripts/layers.js')
const tree = tempFiles('')

/** What the check says about a tree of these files, and whether it let it pass. */
function check(files: Readonly<{ [path: string]: string }>): { status: number; said: string } {
  const src = tree()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(src, path)), { recursive: true })
    writeFileSync(join(src, path), text)
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, src], {
    encoding: 'utf8',
  })
  return { status: status ?? -1, said: stdout + stderr }
}

const SOUND = {
  'index.ts': `export { createMcpOAuth } from './server/server.ts'`,
  'crypto/random.ts': `import { randomBytes } from 'node:crypto'\nrandomBytes(1)`,
  'protocol/errors.ts': `import { a } from '../crypto/random.ts'`,
  'stores/store.ts': `import type { E } from '../protocol/errors.ts'`,
  'http/exchange.ts': `import { request } from 'node:https'`,
  'server/config/context.ts': `import type { Store } from '../../stores/store.ts'`,
  'server/tokens/issue.ts': `import type { Context } from '../config/context.ts'`,
  'server/endpoints/token.ts': `import { issue } from '../tokens/issue.ts'`,
  'server/router.ts': `import { token } from './endpoints/token.ts'`,
  'server/server.ts': `import { route } from './router.ts'\nDate.now()\nx = { fetch(r) {} }`,
  'gateway/settings.ts': `process.env`,
  'cli/main.ts': `import '../gateway/settings.ts'\nconsole.log('hello')`,
}

/** Each rule, with a tree that breaks it and the words that must name the breach. */
const BREACHES: readonly [rule: string, files: { [path: string]: string }, said: string][] = [
  [
    'an arrow that points up',
    { 'crypto/hash.ts': `import { e } from '../protocol/errors.ts'` },
    'crypto/hash.ts imports protocol/errors.ts; arrows point down',
  ],
  [
    'an arrow on one row',
    { 'http/form.ts': `import { s } from '../stores/store.ts'` },
    'http/form.ts imports stores/store.ts; arrows point down',
  ],
  [
    'a type that is imported upwards',
    { 'protocol/pkce.ts': `import type { Store } from '../stores/store.ts'` },
    'protocol/pkce.ts imports stores/store.ts',
  ],
  [
    'an import over several lines',
    { 'crypto/seal.ts': `import {\n  a,\n  type B,\n} from '../http/exchange.ts'` },
    'crypto/seal.ts imports http/exchange.ts',
  ],
  [
    'an export from above',
    { 'crypto/seal.ts': `export * from '../http/exchange.ts'` },
    'crypto/seal.ts imports http/exchange.ts',
  ],
  [
    'an import when it is called',
    { 'crypto/seal.ts': `const a = await import('../http/exchange.ts')` },
    'crypto/seal.ts imports http/exchange.ts',
  ],
  [
    'a type named in place',
    { 'crypto/seal.ts': `type A = import('../http/exchange.ts').A` },
    'crypto/seal.ts imports http/exchange.ts',
  ],
  [
    'a door imported from inside',
    { 'cli/help.ts': `import { x } from '../index.ts'` },
    'cli/help.ts imports the door index.ts',
  ],
  [
    'an import from outside src',
    { 'cli/help.ts': `import { x } from '../../test/x.ts'` },
    'which is outside src',
  ],
  [
    'an endpoint in an endpoint',
    { 'server/endpoints/revocation.ts': `import { token } from './token.ts'` },
    'no endpoint imports an endpoint',
  ],
  [
    'an arrow upwards inside server/',
    { 'server/tokens/code.ts': `import { route } from '../router.ts'` },
    'arrows inside server/ point down',
  ],
  [
    'an arrow on one row inside server/',
    {
      'server/clients/client.ts': `import { issue } from '../tokens/issue.ts'`,
    },
    'arrows inside server/ point down',
  ],
  [
    'a driver seen by server/',
    {
      'stores/sqlite.ts': ``,
      'server/grants/apply.ts': `import { sqlite } from '../../stores/sqlite.ts'`,
    },
    'server/ sees only store.ts and records.ts and change.ts of stores/',
  ],
  [
    'an upstream seen by server/',
    {
      'upstream/oidc.ts': ``,
      'server/grants/apply.ts': `import { oidc } from '../../upstream/oidc.ts'`,
    },
    'server/ sees only upstream.ts of upstream/',
  ],
  [
    'a room that nobody drew',
    { 'magic/a.ts': `import { a } from '../crypto/random.ts'` },
    'a room that the table does not know',
  ],
  [
    'a circle',
    {
      'http/a.ts': `import { b } from './b.ts'`,
      'http/b.ts': `import { a } from './a.ts'`,
    },
    'http/a.ts → http/b.ts → http/a.ts is a circle',
  ],
  [
    'the environment elsewhere',
    { 'server/config/judge.ts': `process.env` },
    'uses the environment',
  ],
  ['the clock elsewhere', { 'server/grants/apply.ts': `const now = Date.now()` }, 'uses the clock'],
  ['a date of now', { 'http/cookie.ts': `new Date()` }, 'uses the clock'],
  ['randomness elsewhere', { 'http/cookie.ts': `Math.random()` }, 'uses randomness'],
  ['console elsewhere', { 'gateway/log.ts': `console.error('x')` }, 'uses console'],
  ['a way out of its own', { 'upstream/a.ts': `await fetch('https://a')` }, 'uses Fetch'],
  [
    'a request of its own',
    { 'upstream/a.ts': `import { request } from 'node:https'` },
    'imports node:https; its door is http/exchange.ts',
  ],
  [
    'cryptography of its own',
    { 'server/grants/apply.ts': `import { createHash } from 'node:crypto'` },
    'imports node:crypto',
  ],
  [
    'a shell',
    { 'cli/open.ts': `import { exec } from 'node:child_process'` },
    'its door is nowhere',
  ],
  [
    'jose elsewhere',
    { 'server/tokens/a.ts': `import { SignJWT } from 'jose'` },
    'imports jose; its door is crypto/jwt.ts',
  ],
  [
    'oauth4webapi elsewhere',
    { 'upstream/oidc.ts': `import * as oauth from 'oauth4webapi'` },
    'imports oauth4webapi; its door is upstream/oauth2.ts',
  ],
  [
    'a part of a package elsewhere',
    { 'http/a.ts': `import { x } from 'jose/errors'` },
    'imports jose/errors',
  ],
  [
    'a package that is no dependency',
    { 'http/a.ts': `import express from 'express'` },
    'imports express, which no file may',
  ],
  [
    'a driver loaded when it is called',
    { 'server/server.ts': `createRequire(import.meta.url)('libsql')` },
    'imports libsql',
  ],
  ['a vague file', { 'http/utils.ts': `` }, 'is named utils.ts'],
  ['a vague folder', { 'server/config/helpers/a.ts': `` }, 'is named helpers'],
]

describe('the layer check', () => {
  it('lets a sound tree pass', () => {
    expect(check(SOUND)).toEqual({ status: 0, said: 'The layers hold.\n' })
  })

  it.each(BREACHES)('refuses %s', (_rule, files, said) => {
    const found = check({ ...SOUND, ...files })
    expect(found.said).toContain(said)
    expect(found.status).toBe(1)
  })

  it('takes no prose for an import or a use', () => {
    const comment = `/** import { a } from '../stores/store.ts', process.env */\n// console.log(Math.random())`
    expect(check({ ...SOUND, 'crypto/hash.ts': comment }).status).toBe(0)
  })

  it('holds here', () => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
