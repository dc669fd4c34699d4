import { describe, expect, it } from 'vitest'
import { isNoSuchName, resolveHost } from '../../src/http/resolve_host.ts'
import { createSafeFetch } from '../../src/http/safe_fetch.ts'
import { failureOf, watchConnections } from './support/hosts.ts'
import { nameServer } from './support/name_server.ts'

const SIX = [0x26, 6, 0x47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x11]
const never = new AbortController().signal

describe("the look-up of a stranger's host", () => {
  it('asks once for each family, and gives all addresses', async () => {
    const questions = await nameServer((type) =>
      type === 'A'
        ? [
            [1, 1, 1, 1],
            [1, 0, 0, 1],
          ]
        : [SIX],
    )
    const answers = await resolveHost('docs.example', 'stranger', never)
    expect([...answers].sort()).toEqual(['1.0.0.1', '1.1.1.1', '2606:4700::1111'])
    expect([...questions].sort()).toEqual(['docs.example A', 'docs.example AAAA'])
  })

  it('is content with one family, whatever the other says', async () => {
    for (const other of [[], 2, 3] as const) {
      await nameServer((type) => (type === 'A' ? [[1, 1, 1, 1]] : other))
      expect(await resolveHost('docs.example', 'stranger', never)).toEqual(['1.1.1.1'])
      await nameServer((type) => (type === 'AAAA' ? [SIX] : other))
      expect(await resolveHost('docs.example', 'stranger', never)).toEqual(['2606:4700::1111'])
    }
  })

  it('is content with one family when the other keeps silent, within the time of a fetch', async () => {
    await nameServer((type) => (type === 'A' ? [[1, 1, 1, 1]] : undefined))
    const deadline = AbortSignal.timeout(4500)
    expect(await resolveHost('docs.example', 'stranger', deadline)).toEqual(['1.1.1.1'])
    expect(deadline.aborted).toBe(false)
  })

  it('tells no such name from no answer', async () => {
    for (const nothing of [[], 3] as const) {
      await nameServer(() => nothing)
      const error = await resolveHost('docs.example', 'stranger', never).catch(String)
      expect(error).toMatch(/ENOTFOUND|ENODATA/)
    }
    await nameServer(() => 2)
    const failed: unknown = await resolveHost('docs.example', 'stranger', never).catch(
      (error) => error,
    )
    expect(failed).toBeInstanceOf(Error)
    expect(isNoSuchName(failed)).toBe(false)
    await nameServer((type) => (type === 'A' ? [] : 2))
    const half: unknown = await resolveHost('docs.example', 'stranger', never).catch(
      (error) => error,
    )
    expect(isNoSuchName(half)).toBe(false)
  })

  it('ends with the fetch', async () => {
    await nameServer(() => undefined)
    const controller = new AbortController()
    const looking = resolveHost('docs.example', 'stranger', controller.signal)
    controller.abort()
    await expect(looking).rejects.toThrow()
  })

  it('CI-34 a private address in a real DNS answer is refused', async () => {
    const policy = { trustedOrigins: [], dangerouslyAllowPrivateAddresses: false }
    const fetch = createSafeFetch(policy)
    const tried = watchConnections()
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1]
    const nat64 = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 169, 254, 169, 254]
    for (const six of [mapped, nat64]) {
      await nameServer((type) => (type === 'A' ? [[1, 1, 1, 1]] : [six]))
      const fetched = fetch('https://docs.example/', { maxBytes: 1, timeout: 5 })
      expect((await failureOf(fetched)).failure).toBe('refused')
    }
    expect(tried).toEqual([])
  })
})

describe("the look-up of the operator's host", () => {
  it('is that of this machine', async () => {
    const answers = await resolveHost('localhost', 'operator', never)
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.every((address) => ['127.0.0.1', '::1'].includes(address))).toBe(true)
  })
})
