/** The answers of token endpoints, good, odd and hostile: RFC 6749 §5. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTokenAnswer, type TokenAnswer } from '../../src/upstream/token_answer.ts'

const GOOD = { access_token: 'at', token_type: 'Bearer' }

function tokens(json: object, status = 200) {
  const answer: TokenAnswer = readTokenAnswer(status, { ...json })
  if (answer.outcome !== 'tokens') throw new Error(`outcome ${answer.outcome}`)
  return answer.tokens
}

function outcome(json: object | undefined, status = 200): string {
  return readTokenAnswer(status, json === undefined ? undefined : { ...json }).outcome
}

describe('§5.1 what is odd and makes sense is taken', () => {
  test.each(['bearer', 'Bearer', 'BEARER', undefined, null])('token_type %s', (token_type) => {
    expect(tokens({ ...GOOD, token_type }).access_token).toBe('at')
  })
  test.each([
    [3600, 3600],
    ['3600', 3600],
    [3599.5, 3599],
    [0, 0],
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
  ])('expires_in %s is %s', (expires_in, seconds) => {
    expect(tokens({ ...GOOD, expires_in }).expires_in).toBe(seconds)
  })
  test.each([
    ['repo user:email', ['repo', 'user:email']],
    ['repo,user:email', ['repo', 'user:email']],
    ['repo, user:email', ['repo', 'user:email']],
    [
      ['repo', 'user:email'],
      ['repo', 'user:email'],
    ],
    [['repo', 7, null, 'bad scope'], ['repo']],
    ['', []],
    [undefined, undefined],
    [null, undefined],
    [{}, undefined],
  ])('CB-22 scope %j is reported as %j', (scope, granted) => {
    expect(tokens({ ...GOOD, scope }).scope).toEqual(granted)
  })
  test.each([null, undefined, ''])('refresh_token %j is none', (refresh_token) => {
    expect(tokens({ ...GOOD, refresh_token }).refresh_token).toBeUndefined()
  })
})

describe('CB-09 §5.1 what makes no sense is refused', () => {
  test.each([
    ['no JSON object', undefined],
    ['no access_token', { token_type: 'bearer' }],
    ['an empty access_token', { ...GOOD, access_token: '' }],
    ['an access_token that is a list', { ...GOOD, access_token: ['at'] }],
    ['an access_token that breaks out of a header', { ...GOOD, access_token: 'at\r\nx: y' }],
    ['an access_token with a blank', { ...GOOD, access_token: 'a t' }],
    ['an access_token beyond ASCII', { ...GOOD, access_token: 'tökén' }],
    ['an endless access_token', { ...GOOD, access_token: 'a'.repeat(70_000) }],
    ['a refresh_token that is a number', { ...GOOD, refresh_token: 5 }],
    ['a refresh_token with a line break', { ...GOOD, refresh_token: 'r\n' }],
    ['token_type mac', { ...GOOD, token_type: 'mac' }],
    ['token_type DPoP', { ...GOOD, token_type: 'DPoP' }],
    ['token_type of another type', { ...GOOD, token_type: 1 }],
    ['expires_in "NaN"', { ...GOOD, expires_in: 'NaN' }],
    ['expires_in -1', { ...GOOD, expires_in: -1 }],
    ['expires_in "-1"', { ...GOOD, expires_in: '-1' }],
    ['expires_in 1e12', { ...GOOD, expires_in: 1e12 }],
    ['expires_in "1e3"', { ...GOOD, expires_in: '1e3' }],
    ['expires_in of another type', { ...GOOD, expires_in: [3600] }],
    ['an error that is an object', { error: { code: 'x' } }],
  ])('%s', (_name, json) => {
    expect(outcome(json)).toBe('garbage')
  })
  test('a good body with a status that says otherwise', () => {
    expect(outcome(GOOD, 400)).toBe('garbage')
    expect(outcome(GOOD, 302)).toBe('garbage')
  })
})

describe('§5.2 errors', () => {
  test('an error with 200 is an error (GitHub)', () => {
    const answer = readTokenAnswer(
      200,
      { error: 'bad_refresh_token', error_description: 'no' },
      {
        bad_refresh_token: 'invalid_grant',
      },
    )
    expect(answer).toEqual({
      outcome: 'error',
      error: 'invalid_grant',
      error_description: 'no',
    })
  })
  test('an error beside tokens is an error', () => {
    expect(outcome({ ...GOOD, error: 'invalid_grant' })).toBe('error')
  })
  test('ok: false without an error is one (Slack)', () => {
    expect(outcome({ ...GOOD, ok: false })).toBe('error')
  })
  test('an error named like a member of every object is not translated', () => {
    const answer = readTokenAnswer(400, { error: 'constructor' }, {})
    expect(answer).toMatchObject({ error: 'constructor' })
  })
})

test('whatever the JSON, what comes out can be sent in a header', () => {
  const member = fc.oneof(fc.jsonValue(), fc.string(), fc.constant('bearer'), fc.integer())
  const json = fc.record(
    {
      access_token: member,
      token_type: fc.oneof(fc.constant('bearer'), member),
      expires_in: member,
      refresh_token: member,
      scope: member,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(json, fc.constantFrom(200, 201, 400, 401, 302), (body, status) => {
      const answer = readTokenAnswer(status, { ...body })
      if (answer.outcome !== 'tokens') return
      const { access_token, refresh_token = 'x', expires_in = 0 } = answer.tokens
      expect(`${access_token}${refresh_token}`).toMatch(/^[\x21-\x7E]+$/)
      expect(Number.isSafeInteger(expires_in) && expires_in >= 0).toBe(true)
    }),
  )
})
