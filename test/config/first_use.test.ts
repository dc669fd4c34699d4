import { describe, expect, it } from 'vitest'
import { generateKey } from '../../src/crypto/keyring.ts'
import { OptionsError } from '../../src/server/config/judge.ts'
import { onFirstUse } from '../../src/server/first_use.ts'
import { createMcpOAuth, type McpOAuth } from '../../src/server/server.ts'
import { memory } from '../../src/stores/memory.ts'
import { appLogin } from '../support/server.ts'

const ISSUER = 'https://mcp.test'
const METADATA = `${ISSUER}/.well-known/oauth-authorization-server`

const create = (keys = generateKey()) =>
  createMcpOAuth({
    issuer: ISSUER,
    resource: `${ISSUER}/mcp`,
    keys,
    store: memory(),
    upstream: appLogin(ISSUER),
  })

/** A server on first use, and how often one was made. */
function counted(): { auth: McpOAuth; made: () => number } {
  let made = 0
  return { auth: onFirstUse(() => ((made += 1), create())), made: () => made }
}

const call = new Request(`${ISSUER}/mcp`, { method: 'POST', body: '{}' })
const nobody = { clientId: '', extra: {} } as never

/** Every member, used once. A member that is missing here does not compile. */
const USES: { readonly [member in keyof McpOAuth]: (auth: McpOAuth) => unknown } = {
  config: (auth) => auth.config.issuer,
  handle: (auth) =>
    auth.handle({
      method: 'GET',
      path: '/',
      query: '',
      rawHeaders: [],
      remoteAddress: undefined,
      readBody: () => Promise.resolve(new Uint8Array()),
    }),
  fetch: (auth) => auth.fetch(new Request(METADATA)),
  guard: (auth) =>
    auth.guard({
      method: 'GET',
      path: '/mcp',
      query: '',
      rawHeaders: [],
      remoteAddress: undefined,
      readBody: () => Promise.resolve(new Uint8Array()),
    }),
  protect: (auth) => auth.protect(() => new Response())(call),
  verifyToken: (auth) => auth.verifyToken(call, 'none'),
  verifier: (auth) => auth.verifier((text) => new Error(text)).verifyAccessToken('none'),
  caller: (auth) => auth.caller(undefined),
  upstreamToken: (auth) => auth.upstreamToken(undefined),
  assertIdentity: (auth) => auth.assertIdentity(nobody, ISSUER),
  adopt: (auth) => auth.adopt({} as never),
  checkKeys: (auth) => auth.checkKeys(),
  forgetKey: (auth) => auth.forgetKey('none'),
  close: (auth) => auth.close(),
}
const attempt = async (use: (auth: McpOAuth) => unknown, auth: McpOAuth) => {
  try {
    return { value: await use(auth) }
  } catch (error) {
    return { error: String(error) }
  }
}
const MAKING = (Object.keys(USES) as (keyof McpOAuth)[]).filter((member) => member !== 'close')

describe('a server on first use', () => {
  it('is not made by handing its parts to routes', () => {
    const { auth, made } = counted()
    auth.protect(() => new Response())
    auth.verifier((text) => new Error(text))
    const { fetch, guard, handle, verifyToken } = auth
    expect([fetch, guard, handle, verifyToken].map((part) => typeof part)).toEqual(
      Array(4).fill('function'),
    )
    expect(made()).toBe(0)
  })

  it.each(MAKING)('is made by %s, and answers as the server itself', async (member) => {
    const { auth, made } = counted()
    const answer = await attempt(USES[member], auth)
    expect(made()).toBe(1)
    const direct = await attempt(USES[member], create())
    expect(Object.keys(answer)).toEqual(Object.keys(direct))
    expect(answer.error).toBe(direct.error)
  })

  it('is made once, however many ask at once', async () => {
    const { auth, made } = counted()
    const asked = Array.from({ length: 50 }, () => auth.fetch(new Request(METADATA)))
    expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true)
    expect(made()).toBe(1)
  })

  it('is not made to be closed', async () => {
    const { auth, made } = counted()
    await auth.close()
    expect(made()).toBe(0)
    await auth.fetch(new Request(METADATA))
    await auth.close()
    expect(made()).toBe(1)
  })

  it('tells each caller what is wrong with its options, and tries no second time', async () => {
    let made = 0
    const auth = onFirstUse(() => ((made += 1), create('')))
    const guarded = auth.protect(() => new Response())
    for (const asked of [() => auth.fetch(new Request(METADATA)), () => guarded(call)]) {
      await expect(asked()).rejects.toThrow(OptionsError)
      await expect(asked()).rejects.toThrow(/keys/)
    }
    expect(() => auth.config).toThrow(OptionsError)
    await auth.close()
    expect(made).toBe(1)
  })
})
