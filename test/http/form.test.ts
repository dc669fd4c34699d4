import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseForm, readForm, type Form } from '../../src/http/form.ts'
import { OAuthError } from '../../src/protocol/errors.ts'
import { requestWith } from './support/requests.ts'

const FORM = 'application/x-www-form-urlencoded'

function refusalOf(action: () => unknown): OAuthError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
}

async function read(body: string | Uint8Array, ...types: readonly string[]): Promise<Form> {
  return await readForm(
    requestWith(
      types.flatMap((type) => ['Content-Type', type]),
      { body },
    ),
  )
}

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'))
const pairs = fc.array(fc.tuple(text, text), { maxLength: 100 })

describe('forms', () => {
  it('RFC 6749 appendix B: what was encoded is what is read', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const form = parseForm(new URLSearchParams(given).toString())
        expect(form.names()).toEqual([...new Set(given.map(([name]) => name))])
        for (const name of form.names()) {
          const values = given.filter(([known]) => known === name).map(([, value]) => value)
          expect(form.all(name)).toEqual(values.filter((value) => value !== ''))
          if (values.length > 1) {
            expect(refusalOf(() => form.get(name))?.code).toBe('invalid_request')
          } else {
            expect(form.get(name)).toBe(values[0] === '' ? undefined : values[0])
          }
        }
      }),
    )
  })

  it('RFC 6749 §3.2 a parameter that stands twice is refused when it is read, and only then', () => {
    for (const twice of ['a=1&a=2', 'a=1&a=1', 'a=&a=1', 'a&a', 'a=1&%61=1', 'a=1&b=2&a=']) {
      const form = parseForm(twice)
      expect(refusalOf(() => form.get('a'))?.status).toBe(400)
      expect(refusalOf(() => form.required('a'))?.code).toBe('invalid_request')
      expect(form.get('c')).toBeUndefined()
    }
    expect(parseForm('a=1&b=1&b=2').get('a')).toBe('1')
  })

  it('RFC 6749 §3.2 a parameter without a value is absent', () => {
    for (const empty of ['', 'a', 'a=', '&a=&', '=a', 'A=1']) {
      expect(parseForm(empty).get('a')).toBeUndefined()
      expect(refusalOf(() => parseForm(empty).required('a'))?.code).toBe('invalid_request')
    }
  })

  it('RFC 8707 §2 a parameter that may repeat gives all values', () => {
    expect(parseForm('resource=a&x=&resource=&resource=b').all('resource')).toEqual(['a', 'b'])
  })

  it('RFC 6749 appendix B: what is no percent-encoded UTF-8 is refused whole', () => {
    const wrong = ['a=%', 'a=%4', 'a=%zz', 'a=%ff', 'a=%c3', 'a=%ed%a0%80', 'a=%c0%af', '%=a']
    wrong.push('a=%00', '%00=a', 'a=\0', 'a\0=1', 'a=%f4%90%80%80', 'a=%u0041', 'a=1&b=100%')
    for (const form of wrong) {
      expect(refusalOf(() => parseForm(form))?.code, form).toBe('invalid_request')
    }
    expect(parseForm('a=%c3%a9+%2B').get('a')).toBe('é +')
  })

  it('names of objects are names like others', () => {
    const form = parseForm('__proto__=a&constructor=b&toString=c')
    expect(form.names()).toEqual(['__proto__', 'constructor', 'toString'])
    expect(form.get('__proto__')).toBe('a')
    expect(form.get('hasOwnProperty')).toBeUndefined()
    expect(({} as { a?: string }).a).toBeUndefined()
  })

  it('DS-03 twenty thousand keys are refused at once, and a hundred are not', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `k${index}=`).join('&')
    const same = 'a=&'.repeat(20_000)
    for (const body of [many, same, '&a'.repeat(20_000)]) {
      const started = process.cpuUsage()
      expect(refusalOf(() => parseForm(body))?.code).toBe('invalid_request')
      expect(process.cpuUsage(started).user).toBeLessThan(200_000)
    }
    const fits = Array.from({ length: 100 }, (_, index) => `k${index}=${index}`).join('&')
    expect(parseForm(fits).names()).toHaveLength(100)
    expect(refusalOf(() => parseForm(`${fits}&x=1`))?.code).toBe('invalid_request')
  })

  it('DS-02 long repetitive forms take no time', () => {
    const parts = ['%', '%25', '+', '=', '&', '%c3%a9', '%2', 'a=', ';', '\t', 'é']
    for (const part of parts) {
      const started = process.cpuUsage()
      refusalOf(() => parseForm(part.repeat(30_000)))
      refusalOf(() => parseForm(`a=${part.repeat(30_000)}`))
      expect(process.cpuUsage(started).user).toBeLessThan(200_000)
    }
  })

  it('whatever text comes, it is a form or a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (noise) => {
        const refusal = refusalOf(() => parseForm(noise))
        expect(refusal?.code ?? 'invalid_request').toBe('invalid_request')
      }),
    )
  })
})

describe('the form in a body', () => {
  it('RFC 6749 §3.2 its type is application/x-www-form-urlencoded, parameters and case aside', async () => {
    for (const type of [FORM, `${FORM}; charset=UTF-8`, FORM.toUpperCase(), ` ${FORM} ;x`]) {
      expect((await read('a=1', type)).get('a')).toBe('1')
    }
    const wrong = ['application/json', 'text/plain', 'multipart/form-data', `${FORM}x`, `x${FORM}`]
    for (const type of [...wrong, '', `application/json, ${FORM}`]) {
      await expect(read('a=1', type)).rejects.toMatchObject({ status: 415 })
    }
    await expect(read('a=1')).rejects.toMatchObject({ status: 415, code: 'invalid_request' })
    await expect(read('a=1', FORM, FORM)).rejects.toMatchObject({ status: 400 })
    await expect(read('a=1', FORM, 'text/plain')).rejects.toMatchObject({ status: 400 })
  })

  it('its bytes are UTF-8, and a byte order mark is part of the first name', async () => {
    await expect(read(Buffer.from([0x61, 0x3d, 0xff]), FORM)).rejects.toBeInstanceOf(OAuthError)
    await expect(read(Buffer.from('a=1', 'utf16le'), FORM)).rejects.toBeInstanceOf(OAuthError)
    expect((await read('a=é', FORM)).get('a')).toBe('é')
    expect((await read('\ufeffa=1', FORM)).get('a')).toBeUndefined()
  })

  it('asks for 64 KiB at most', async () => {
    const asked: number[] = []
    const request = {
      ...requestWith(['content-type', FORM]),
      readBody: async (limit: number) => {
        asked.push(limit)
        return new Uint8Array()
      },
    }
    await readForm(request)
    expect(asked).toEqual([65_536])
  })
})
