/** Judgements that are remembered: the same as if they were made anew, and bounded. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { remembered } from '../../src/protocol/remembered.ts'

/** A judge that notes what it was asked. */
function counting(max: number) {
  const asked: string[] = []
  const judge = remembered((text) => {
    asked.push(text)
    if (text === 'thrown') throw new TypeError(text)
    return text === 'none' ? undefined : text.length
  }, max)
  return { asked, judge }
}

describe('a remembered judgement', () => {
  it('is what the judge says, whatever was asked before', () => {
    const judge = remembered((text) => `judged ${text}`, 3)
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 30 }), (texts) => {
        for (const text of texts) expect(judge(text)).toBe(`judged ${text}`)
      }),
    )
  })

  it('is made once, also where it says nothing', () => {
    const { asked, judge } = counting(10)
    for (const text of ['a', 'none', 'a', 'none']) judge(text)
    expect(asked).toEqual(['a', 'none'])
  })

  it('is made again after a fault', () => {
    const { asked, judge } = counting(10)
    expect(() => judge('thrown')).toThrow(TypeError)
    expect(() => judge('thrown')).toThrow(TypeError)
    expect(asked).toHaveLength(2)
  })

  it('is bounded in number: the oldest is forgotten', () => {
    const { asked, judge } = counting(2)
    for (const text of ['a', 'b', 'c', 'b', 'c', 'a']) judge(text)
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
  })

  it('is not kept of a long text', () => {
    const { asked, judge } = counting(2)
    const [long, longest] = ['x'.repeat(300), 'x'.repeat(301)]
    for (const text of [long, long, longest, longest]) judge(text)
    expect(asked).toEqual([long, longest, longest])
  })
})
