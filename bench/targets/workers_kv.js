/** A KV namespace in memory: texts, and lists of what begins alike. Nothing expires within a run. */

export function createKv() {
  const held = new Map()
  /** By all up to the last colon, since lists ask for that. */
  const alike = new Map()
  const headOf = (key) => key.slice(0, key.lastIndexOf(':') + 1)
  return {
    async get(key, options) {
      const text = held.get(key)
      if (text === undefined) return null
      const type = typeof options === 'string' ? options : options?.type
      return type === 'json' ? JSON.parse(text) : text
    },
    async put(key, text) {
      held.set(key, text)
      const head = headOf(key)
      if (!alike.has(head)) alike.set(head, new Set())
      alike.get(head).add(key)
    },
    async delete(key) {
      held.delete(key)
      alike.get(headOf(key))?.delete(key)
    },
    async list({ prefix = '' } = {}) {
      const keys = [...(alike.get(prefix) ?? [])].map((name) => ({ name }))
      return { keys, list_complete: true }
    },
  }
}
