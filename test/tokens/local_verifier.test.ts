/** The verifier of this server's own access tokens. */
import { describe, expect, it } from 'vitest'
import type { AuthInfo, Verifier } from '../../src/guard/verifier.ts'
import type { Context } from '../../src/server/config/context.ts'
import { makeAccessToken, readAccessToken } from '../../src/server/tokens/access_token.ts'
import { createLocalVerifier, judgeGrant } from '../../src/server/tokens/local_verifier.ts'
import { endGrant, revokeToken } from '../../src/server/grants/grant.ts'
import type { GrantRecord } from '../../src/stores/records.ts'
import type { Store } from '../../src/stores/store.ts'
import { createTestContext, OTHER_RESOURCE, RESOURCE, START } from '../support/context.ts'
import { begin, CLIENT, grantOf, refresh, SUBJECT, USER } from '../grants/support.ts'

async function verify(verifier: Verifier, token: string, resource = RESOURCE): Promise<string> {
  const found = await verifier.verify(token, resource)
  return found.outcome === 'verified' ? 'verified' : found.reason
}

async function infoOf(verifier: Verifier, token: string): Promise<AuthInfo> {
  const found = await verifier.verify(token, RESOURCE)
  if (found.outcome !== 'verified') throw new Error(found.reason)
  return found.authInfo
}

/** Counts the reads of a store. */
function counting(store: Store): { readonly store: Store; reads: () => number } {
  let count = 0
  const find: Store['find'] = (kind, id) => {
    count += 1
    return store.find(kind, id)
  }
  return { store: { ...store, find }, reads: () => count }
}

async function change(context: Context, grant: GrantRecord, next: GrantRecord): Promise<void> {
  const found = await context.store.find('grant', grant.id)
  expect(await context.store.replace('grant', next, found?.version ?? 0)).toBe(true)
}

describe('OAuth 2.1 §5.2 who holds a token', () => {
  it('GD-01 tells who, for what, and until when', async () => {
    const { context } = createTestContext()
    const answer = await begin(context)
    const { id } = await grantOf(context, answer)
    expect(await infoOf(createLocalVerifier(context), answer.access_token)).toEqual({
      token: answer.access_token,
      clientId: CLIENT.client_id,
      scopes: ['notes:read', 'notes:write'],
      expiresAt: START + 3600,
      resource: new URL(RESOURCE),
      extra: { subject: SUBJECT, grantId: id, user: USER },
    })
  })

  it('tells the scopes of the token and not of the grant, the implied ones included', async () => {
    const { context } = createTestContext({
      config: { hierarchy: new Map([['notes:write', ['notes:read']]]) },
    })
    const verifier = createLocalVerifier(context)
    const narrow = await refresh(context, (await begin(context)).refresh_token, {
      scope: 'notes:write',
    })
    expect((await infoOf(verifier, narrow.access_token)).scopes).toEqual([
      'notes:write',
      'notes:read',
    ])
  })

  it('ST-19 GD-25 a token is over in the very second of its expiry, and stays so', async () => {
    const { context, advance } = createTestContext()
    const { access_token } = await begin(context)
    const verifier = createLocalVerifier(context)
    advance(3599)
    expect(await verify(verifier, access_token)).toBe('verified')
    advance(1)
    expect(await verify(verifier, access_token)).toBe('expired')
    expect(await verify(verifier, access_token)).toBe('expired')
    advance(-1)
    expect(await verify(verifier, access_token)).toBe('verified')
  })

  it('GD-09 a token for another resource is refused, remembered or not', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const verifier = createLocalVerifier(context)
    expect(await verify(verifier, access_token, OTHER_RESOURCE)).toBe('wrong_resource')
    expect(await verify(verifier, access_token)).toBe('verified')
    expect(await verify(verifier, access_token, OTHER_RESOURCE)).toBe('wrong_resource')
    expect(await verify(verifier, access_token, `${RESOURCE}/`)).toBe('wrong_resource')
  })

  it('GD-20 RV-02 a revoked token is refused at once, however warm, and its siblings are not', async () => {
    const { context } = createTestContext()
    const first = await begin(context)
    const second = await refresh(context, first.refresh_token)
    const verifier = createLocalVerifier(context)
    for (const { access_token } of [first, second])
      expect(await verify(verifier, access_token)).toBe('verified')
    const grant = await grantOf(context, first)
    const claims = readAccessToken(context.keys, first.access_token)
    await change(context, grant, revokeToken(grant, claims?.jti ?? '', claims?.exp ?? 0, START))
    expect(await verify(verifier, first.access_token)).toBe('revoked')
    expect(await verify(verifier, second.access_token)).toBe('verified')
  })

  it('RV-01 RV-11 with its grant a token is over at once, for every instance', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const instances = [createLocalVerifier(context), createLocalVerifier({ ...context })]
    for (const verifier of instances) expect(await verify(verifier, access_token)).toBe('verified')
    const grant = await grantOf(context, {
      access_token,
      token_type: 'Bearer',
      expires_in: 1,
      scope: '',
    })
    await change(context, grant, endGrant(grant, 'revoked_by_user', START))
    for (const verifier of instances)
      expect(await verify(verifier, access_token)).toBe('grant_ended')
    await context.store.take('grant', grant.id)
    for (const verifier of instances)
      expect(await verify(verifier, access_token)).toBe('unknown_grant')
  })

  it('judges a grant that is not there as one that is over', () => {
    const claims = { grantId: 'g', jti: 'j', exp: 1, resource: RESOURCE, scope: '' }
    expect(judgeGrant(undefined, claims)).toBe('unknown_grant')
  })

  it('GD-07 what is no token of ours costs no I/O, at the first try and the hundredth', async () => {
    const { context } = createTestContext()
    const { access_token, refresh_token = '' } = await begin(context)
    const { store, reads } = counting(context.store)
    const verifier = createLocalVerifier({ ...context, store })
    const forged = makeAccessToken(createTestContext().context.keys, {
      grantId: 'g',
      exp: START + 1000,
      resource: RESOURCE,
      scope: '',
    })
    const bad = [
      '',
      'x',
      forged,
      refresh_token,
      `${access_token}A`,
      access_token.slice(1),
      'mcp_at_..',
    ]
    for (let round = 0; round < 100; round += 1) {
      for (const token of bad) expect(await verify(verifier, token)).toBe('not_authentic')
    }
    expect(await verify(verifier, `${access_token}${'x'.repeat(100_000)}`)).toBe('not_authentic')
    expect(await verify(verifier, access_token, OTHER_RESOURCE)).toBe('wrong_resource')
    expect(reads()).toBe(0)
  })
})

describe('what is remembered of a token', () => {
  it('the grant is read at each call, and the token only at the first', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const { store, reads } = counting(context.store)
    let derived = 0
    const find = (kid: string): ReturnType<Context['keys']['find']> => {
      derived += 1
      return context.keys.find(kid)
    }
    const verifier = createLocalVerifier({ ...context, store, keys: { ...context.keys, find } })
    for (let call = 0; call < 10; call += 1) await verify(verifier, access_token)
    expect([reads(), derived]).toEqual([10, 1])
  })

  it('a failure is not remembered, and an expired token is forgotten', async () => {
    const { context, advance } = createTestContext()
    const { access_token } = await begin(context)
    let asked = 0
    const find = (kid: string): ReturnType<Context['keys']['find']> => {
      asked += 1
      return context.keys.find(kid)
    }
    const verifier = createLocalVerifier({ ...context, keys: { ...context.keys, find } })
    for (let call = 0; call < 3; call += 1) await verify(verifier, `${access_token}A`)
    expect(asked).toBe(3)
    advance(3600)
    for (let call = 0; call < 3; call += 1) await verify(verifier, access_token)
    expect(asked).toBe(6)
  })

  it('GD-29 nothing that a tool does to its AuthInfo reaches another call', async () => {
    const { context } = createTestContext()
    const { access_token } = await begin(context)
    const verifier = createLocalVerifier(context)
    const first = await infoOf(verifier, access_token)
    first.scopes.push('admin')
    first.extra['role'] = 'admin'
    first.resource.hostname = 'evil.example'
    const second = await infoOf(verifier, access_token)
    expect(second.scopes).toEqual(['notes:read', 'notes:write'])
    expect(second.extra).not.toHaveProperty('role')
    expect(second.resource.href).toBe(RESOURCE)
  })

  it('is bounded: ten thousand tokens later the first is read anew', async () => {
    const { context } = createTestContext()
    const answer = await begin(context)
    const { id } = await grantOf(context, answer)
    let asked = 0
    const find = (kid: string): ReturnType<Context['keys']['find']> => {
      asked += 1
      return context.keys.find(kid)
    }
    const verifier = createLocalVerifier({ ...context, keys: { ...context.keys, find } })
    const claims = { grantId: id, exp: START + 1000, resource: RESOURCE, scope: 'notes:read' }
    await verify(verifier, answer.access_token)
    for (let at = 0; at < 9999; at += 1)
      await verify(verifier, makeAccessToken(context.keys, claims))
    expect(asked).toBe(10_000)
    await verify(verifier, answer.access_token)
    expect(asked).toBe(10_000)
    await verify(verifier, makeAccessToken(context.keys, claims))
    await verify(verifier, answer.access_token)
    expect(asked).toBe(10_002)
  })
})
