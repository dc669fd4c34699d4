import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RpcError } from '../../src/guard/rpc_error.ts'
import { parseStrictJson } from '../../src/guard/strict_json.ts'

const encode = (text: string) => new TextEncoder().encode(text)

function codeOf(text: string | Uint8Array): number | undefined {
  try {
    parseStrictJson(typeof text === 'string' ? encode(text) : text)
    return undefined
  } catch (error) {
    if (error instanceof RpcError) return error.code
    throw error
  }
}

/** The name as JSON may also spell it: some characters as escapes, in either case of the hex digits. */
function respell(name: string, choices: readonly boolean[]): string {
  const units = Array.from({ length: name.length }, (_, at) => name.charCodeAt(at))
  const spelt = units.map((unit, at) => {
    const plain = JSON.stringify(String.fromCharCode(unit)).slice(1, -1)
    if (choices[at % choices.length] !== true) return plain
    const hex = unit.toString(16).padStart(4, '0')
    return `\\u${at % 2 === 0 ? hex : hex.toUpperCase()}`
  })
  return `"${spelt.join('')}"`
}

/** Objects anywhere in a text, by the position behind their opening brace. */
function objectsIn(text: string): { at: number; empty: boolean }[] {
  const found: { at: number; empty: boolean }[] = []
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (quoted && char === '\\') at += 1
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === '{') found.push({ at: at + 1, empty: text[at + 1] === '}' })
  }
  return found
}

const trap = fc.constantFrom('"', '\\', ':', '{', '}', '[', ',', 'a', '\u2028')
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }),
  fc.jsonValue({ maxDepth: 4, stringUnit: trap }),
)

describe('JSON that every parser reads alike', () => {
  it('RFC 8259 agrees with JSON.parse on all JSON that programs write', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(parseStrictJson(encode(text))).toEqual(JSON.parse(text))
      }),
      { numRuns: 2000 },
    )
  })

  it('RFC 8259 refuses what JSON.parse refuses, and passes nothing that it changes', () => {
    const mess = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'a', ' ', 'null', '"a":'),
    })
    fc.assert(
      fc.property(mess, (text) => {
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expect(codeOf(text)).toBeLessThan(0)
          return
        }
        if (codeOf(text) === undefined) expect(parseStrictJson(encode(text))).toEqual(expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('GD-18 GW-09 finds every name that stands twice, wherever and however it is spelt', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), json, { minKeys: 1 })
    const tree = fc.oneof(
      object,
      fc.array(object, { minLength: 1 }),
      fc.record({ a: object, b: json }),
    )
    fc.assert(
      fc.property(
        tree,
        fc.nat(),
        fc.nat(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        (value, which, whose, choices) => {
          const text = JSON.stringify(value)
          const objects = objectsIn(text).filter(({ empty }) => !empty)
          const { at } = objects[which % objects.length] ?? { at: 1 }
          const names = firstNames(text, at)
          const name = names[whose % names.length] ?? ''
          const doubled = `${text.slice(0, at)}${respell(name, choices)}:0,${text.slice(at)}`
          expect(() => JSON.parse(doubled) as unknown).not.toThrow()
          expect(codeOf(doubled)).toBe(-32600)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['{"a":1,"a":1}'],
    ['{"name":1,"n\\u0061me":2}'],
    ['{"name":1,"\\u006E\\u0061\\u006D\\u0065":2}'],
    ['[{"x":{"y":[{"k":0,"z":1,"k":0}]}}]'],
    ['{"__proto__":1,"__proto__":2}'],
    ['{"":1,"":2}'],
    ['{"\\"":1,"\\u0022":2}'],
    ['{"\\\\":1,"\\u005c":2}'],
    ['{"a:b":1,"a\\u003ab":2}'],
    ['{"\\ud83d\\ude00":1,"😀":2}'],
    ['{"/":1,"\\/":2}'],
  ])('GD-18 refuses %s', (text) => {
    expect(codeOf(text)).toBe(-32600)
  })

  it.each([
    ['{"a":{"a":{"a":[]}}}'],
    ['{"a":"b:c","b":"{\\"a\\":1,\\"a\\":2}"}'],
    ['{"a":"\\\\","b":":"}'],
    ['{"a":"\\\\","b":1}'],
    ['{"a":"\\\\\\\\","b":{"c":"\\\\\\""}}'],
    ['{"a":"\\\\\\"","b":":::"}'],
    ['{"__proto__":{"a":1},"constructor":2,"hasOwnProperty":3}'],
    ['{"é":1,"e\u0301":2}'],
    [' \t\r\n{"a" : 1}\n'],
    ['1e400'],
    ['"\\ud800"'],
  ])('RFC 8259 passes %s', (text) => {
    expect(codeOf(text)).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['a byte order mark', '\uFEFF{}'],
    ['two texts', '{}{}'],
    ['two lines', '{}\n{}'],
    ['trailing data', '{} x'],
    ['a trailing NUL', '{}\0'],
    ['a comment', '{/* */}'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['bare names', '{a:1}'],
    ['NaN', '{"a":NaN}'],
    ['a leading zero', '[01]'],
    ['a raw line feed in a string', '"\n"'],
    ['an open string', '"abc'],
    ['an open string behind backslashes', '"abc\\\\\\"'],
    ['a half object', '{"a":'],
    ['a form', 'access_token=x'],
    ['UTF-16', String.fromCharCode(0) + '{' + String.fromCharCode(0) + '}'],
  ])('GD-18 refuses %s', (_, text) => {
    expect(codeOf(text)).toBe(-32700)
  })

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong quote', [0x22, 0xc0, 0xa2, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut-off character', [0x22, 0xe2, 0x82, 0x22]],
    ['a byte order mark of UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('GW-09 refuses %s', (_, bytes) => {
    expect(codeOf(Uint8Array.from(bytes))).toBe(-32700)
  })

  it('GW-09 refuses what is too deep, before anything recursive sees it', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
    expect(codeOf(nested(100))).toBeUndefined()
    expect(codeOf(nested(101))).toBe(-32600)
    expect(codeOf('['.repeat(2_000_000))).toBe(-32600)
    expect(codeOf(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`)).toBe(-32600)
    expect(codeOf(JSON.stringify('['.repeat(500)))).toBeUndefined()
  })

  it('GD-22 takes time in proportion to the text, whatever the text', () => {
    const size = 1_000_000
    const texts = [
      JSON.stringify('"'.repeat(size / 2)),
      JSON.stringify('\\'.repeat(size / 2)),
      `"${'\\\\'.repeat(size / 2)}`,
      `"${'\\"'.repeat(size / 2)}`,
      `[${'"",'.repeat(size / 3)}""]`,
      `[${'{"a":{}},'.repeat(size / 9)}0]`,
      `{${Array.from({ length: size / 10 }, (_, at) => `"k${at}":0`).join(',')}}`,
    ]
    for (const text of texts) {
      const start = process.cpuUsage().user
      codeOf(text)
      // A megabyte takes some hundredths of a second; a quadratic scan would take minutes.
      expect(process.cpuUsage().user - start).toBeLessThan(2_000_000)
    }
  })
})

/** The names of the object whose first name begins at `at`, as JSON.parse tells them. */
function firstNames(text: string, at: number): string[] {
  for (let end = at; end <= text.length; end += 1) {
    if (text[end - 1] !== '}') continue
    try {
      return Object.keys(JSON.parse(text.slice(at - 1, end)) as object)
    } catch {
      continue
    }
  }
  throw new Error('not an object')
}
