/** The app's own login as an upstream: what the app tells is checked. */
import { expect, test } from 'vitest'
import { session, type SessionOptions, type SessionUser } from '../../src/upstream/session.ts'
import { failureOf } from './sign_in.ts'

const REQUEST = { headers: new Map([['cookie', 'sid=1']]), url: 'https://app.example/authorize' }
const OPTIONS: SessionOptions = {
  name: 'Acme',
  identify: () => ({ sub: '7', name: 'Ada', email: 'ada@example.com' }),
  signInUrl: (return_to) => `/login?next=${encodeURIComponent(return_to)}`,
}

function whoIs(told: unknown) {
  return session({ ...OPTIONS, identify: () => told as SessionUser }).identify(REQUEST)
}

test('tells who is signed in, from the cookies of the request', async () => {
  const upstream = session({
    ...OPTIONS,
    issuer: 'https://app.example',
    identify: async ({ headers }) =>
      headers.get('cookie') === 'sid=1' ? { sub: '7', email_verified: true } : undefined,
  })
  expect(await upstream.identify(REQUEST)).toEqual({
    issuer: 'https://app.example',
    sub: '7',
    name: undefined,
    email: undefined,
    email_verified: false,
  })
  expect(await upstream.identify({ ...REQUEST, headers: new Map() })).toBeUndefined()
})

test('CB-13 an address is verified only when the app says so', async () => {
  expect(await whoIs({ sub: '7', email: 'a@b.example' })).toMatchObject({ email_verified: false })
  expect(await whoIs({ sub: '7', email: 'a@b.example', email_verified: 1 })).toMatchObject({
    email_verified: false,
  })
  expect(await whoIs({ sub: '7', email: 'a@b.example', email_verified: true })).toMatchObject({
    issuer: 'session',
    email_verified: true,
  })
})

test.each([undefined, null])('%s is nobody', async (told) => {
  expect(await whoIs(told)).toBeUndefined()
})

test.each([
  [{}],
  [{ sub: '' }],
  [{ sub: ' ' }],
  [{ sub: 7 }],
  [{ sub: { id: 7 } }],
  [{ sub: 'a'.repeat(256) }],
  ['7'],
  [true],
])('CB-13 %j has no stable id and signs in nobody', async (told) => {
  expect(await failureOf(whoIs(told))).toMatchObject({ failure: 'transient' })
})

test('an app that fails is an outage and not a stranger', async () => {
  for (const identify of [
    () => {
      throw new Error('database down')
    },
    () => Promise.reject(new Error('database down')),
  ]) {
    const failure = await failureOf(session({ ...OPTIONS, identify }).identify(REQUEST))
    expect(failure).toMatchObject({ failure: 'transient' })
    expect(failure.message).not.toContain('database')
  }
})

test.each([
  '/login',
  '/login?next=%2F',
  'https://login.example/in?x=1',
  'http://localhost:3000/in',
])('signs in at %s', (url) => {
  expect(session({ ...OPTIONS, signInUrl: () => url }).signInUrl('https://app.example/')).toBe(url)
})

test.each(['//evil.example', '/\\evil.example', 'javascript:alert(1)', 'login', '', '/a\r\nx: y'])(
  'never at %j',
  (url) => {
    const upstream = session({ ...OPTIONS, signInUrl: () => url })
    expect(() => upstream.signInUrl('https://app.example/')).toThrow(/neither a URL nor a path/)
  },
)

test('judges its options, every fault at once', () => {
  const bad = { id: 'A b', name: '', issuer: '', identify: 'x', signInUrl: undefined }
  expect(() => session(bad as unknown as SessionOptions)).toThrow(
    /id must be.*name is missing.*issuer is empty.*identify must.*signInUrl must/,
  )
})
