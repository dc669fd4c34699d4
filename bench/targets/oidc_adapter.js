/**
 * What oidc-provider keeps, in maps: its own adapter in memory forgets all but a thousand records, and is a
 * little slower. Nothing expires within a run.
 */

export function createAdapter() {
  const records = new Map()
  /** By grant, what goes with it. */
  const grants = new Map()
  const byUid = new Map()
  return (kind) => {
    const keyOf = (id) => `${kind}:${id}`
    return {
      async upsert(id, payload) {
        const key = keyOf(id)
        const { grantId, uid } = payload
        records.set(key, payload)
        if (kind === 'Session') byUid.set(uid, id)
        if (grantId === undefined) return
        if (!grants.has(grantId)) grants.set(grantId, new Set())
        grants.get(grantId).add(key)
      },
      find: async (id) => records.get(keyOf(id)),
      findByUid: async (uid) => records.get(keyOf(byUid.get(uid))),
      findByUserCode: async () => undefined,
      async consume(id) {
        records.get(keyOf(id)).consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id) {
        records.delete(keyOf(id))
      },
      async revokeByGrantId(grantId) {
        for (const key of grants.get(grantId) ?? []) records.delete(key)
        grants.delete(grantId)
      },
    }
  }
}
