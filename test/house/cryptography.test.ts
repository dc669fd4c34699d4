/** Nothing in the source makes cryptography of its own, runs text as code, or starts a shell. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = resolve(import.meta.dirname, '../../src')
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), 'utf8') }))

/** Lua, which has no other equality. */
const SCRIPTS = 'stores/redis_scripts.ts'

const FORBIDDEN: readonly [what: string, pattern: RegExp][] = [
  ['weak randomness', /\bMath\.random\b/],
  ['ciphers without an explicit IV', /\bcreate(Cipher|Decipher)\(/],
  ['modes without authentication', /aes-\d+-(?:cbc|ecb|ctr)|\b(?:des|rc4)\b/i],
  ['broken hashes', /\b(?:md4|md5|sha-?1)\b(?!-)/i],
  ['other JOSE libraries', /['"](?:jsonwebtoken|jws|node-jose|jwt-simple)['"]/],
  ['loose equality', /[^=!]==[^=]/],
  ['text run as code', /\beval\(|\bnew Function\(|['"](?:node:)?vm['"]/],
  ['other programs', /['"](?:node:)?child_process['"]/],
]

describe('SC-05 cryptography comes from node:crypto and one JOSE library, and nothing runs text', () => {
  it.each(FORBIDDEN)('SC-05 no %s', (what, pattern) => {
    const found = files.filter(({ text }) => pattern.test(text)).map(({ name }) => name)
    expect(found).toEqual(what === 'loose equality' ? [SCRIPTS] : [])
  })

  it('SC-05 the search finds what it looks for', () => {
    for (const text of ['Math.random()', 'createCipher(', 'if (a == b)', 'eval(x)', "'md5'"]) {
      expect(
        FORBIDDEN.some(([, pattern]) => pattern.test(text)),
        text,
      ).toBe(true)
    }
  })
})
