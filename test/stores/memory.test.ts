import { describe, expect, it } from 'vitest'
import { memory } from '../../src/memory.ts'
import { storeContract } from '../../src/testing.ts'
import { NOW, sampleGrant } from '../../src/testing/contract/samples.ts'

describe('ST-22 the contract, in memory', () => {
  storeContract({ describe, it, createStore: memory })
})

describe('what memory() keeps', () => {
  it('is frozen all the way down', async () => {
    const store = memory()
    await store.insert('grant', sampleGrant())
    const found = await store.find('grant', 'grant')
    expect(Object.isFrozen(found?.record.user)).toBe(true)
    expect(Object.isFrozen(found?.record.revokedTokens[0])).toBe(true)
  })

  it('is told apart even by half surrogate pairs', async () => {
    const store = memory()
    for (const id of ['\ud800', '\ud801']) {
      expect(await store.insert('grant', sampleGrant({ id, subject: id }))).toBe(true)
    }
    const { rows } = await store.list('grant', 'subject', '\ud801', { limit: 9 })
    expect(rows.map(({ record }) => record.id)).toEqual(['\ud801'])
  })

  it('ends with it: two stores share nothing', async () => {
    const one = memory()
    await one.insert('grant', sampleGrant({ expiresAt: NOW }))
    expect(await memory().find('grant', 'grant')).toBeUndefined()
  })
})
