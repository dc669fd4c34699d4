/** Texts that would be something else to an engine that is careless with them. */
import assert from 'node:assert/strict'
import { sha256 } from '../../crypto/hash.ts'
import type { Store } from '../../stores/store.ts'
import type { ContractTest } from './contract_test.ts'
import { assertSame, sampleClaim, sampleEvent, sampleGrant } from './samples.ts'

export const TEXTS: readonly string[] = [
  `'; DROP TABLE records; --`,
  `"double" 'single' \`back\``,
  'per%cent',
  'under_score',
  'underXscore',
  '%',
  '_',
  '*',
  'back\\slash',
  '\\',
  '\0',
  'nul\0inside',
  'nul\0other',
  'nul',
  'line\r\nbreak',
  '*3\r\n$3\r\nDEL\r\n',
  '{braces}:{hash}',
  'a:b',
  'a/b',
  'a b',
  'a ',
  'a',
  'A',
  '1',
  '01',
  '1e0',
  'true',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  'toString',
  'é',
  'e\u0301',
  '日本語',
  '👩‍👩‍👧',
  '\u202eright to left',
  '\uffff',
  '\ufeffmark',
  'https://client.example.com/metadata.json?x=%27%22&y=[1]#z',
]

/** As values only, for engines bound the length of a key and its alphabet. */
const VALUES: readonly string[] = [
  '',
  'x'.repeat(10_240),
  '\u{1f511}\0'.repeat(2560),
  'half \ud800',
]

export const textContract: readonly ContractTest[] = [
  ['ST-21 as ids: each is its own record', asIds],
  ['ST-21 as values and names of members: each comes back the same', asValues],
  ['ST-21 as indexed values: each lists its own', asIndexed],
  ['ST-21 as ids in a listing: each is a row, and each is a cursor', asCursors],
]

async function asIds(store: Store): Promise<void> {
  for (const id of TEXTS) {
    assert.equal(await store.find('claim', id), undefined)
    assert.equal(await store.insert('claim', sampleClaim({ id, value: id })), true)
  }
  for (const id of TEXTS) {
    const next = sampleClaim({ id, value: `next ${id}` })
    assertSame(await store.find('claim', id), {
      record: sampleClaim({ id, value: id }),
      version: 1,
    })
    assert.equal(await store.replace('claim', next, 1), true)
    assertSame(await store.take('claim', id), next)
    assert.equal(await store.find('claim', id), undefined)
  }
}

async function asValues(store: Store): Promise<void> {
  for (const text of [...TEXTS, ...VALUES]) {
    const detail = Object.fromEntries([
      [text, text],
      ['list', [text, text]],
    ])
    const record = sampleEvent({ id: sha256(text), type: text, detail })
    assert.equal(await store.insert('event', record), true)
    assertSame(await store.find('event', record.id), { record, version: 1 })
  }
}

async function asIndexed(store: Store): Promise<void> {
  for (const text of TEXTS) {
    const record = sampleGrant({ id: sha256(text), subject: text, client_id: text })
    assert.equal(await store.insert('grant', record), true)
  }
  for (const text of TEXTS) {
    for (const index of ['subject', 'client_id'] as const) {
      const { rows } = await store.list('grant', index, text, { limit: 10 })
      assert.deepEqual(
        rows.map(({ record }) => record.id),
        [sha256(text)],
      )
    }
  }
}

async function asCursors(store: Store): Promise<void> {
  for (const id of TEXTS) await store.insert('grant', sampleGrant({ id, subject: 'one' }))
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const listing = await store.list('grant', 'subject', 'one', { limit: 1, cursor })
    seen.push(...listing.rows.map(({ record }) => record.id))
    cursor = listing.cursor
  } while (cursor !== undefined)
  assert.deepEqual(seen.toSorted(), TEXTS.toSorted())
}
