/** Where records are kept, in words: what `--store` may say, read without opening anything. */

export const STORE = 'sqlite:./mcp-oauth.db'

export type StoreSetting =
  { readonly type: 'memory' } | { readonly type: 'sqlite'; readonly path: string }

/** The setting that `text` spells, or what is wrong with it. */
export function readStoreSetting(text: string): StoreSetting | { readonly fault: string } {
  if (text === 'memory') return { type: 'memory' }
  const [, path = ''] = /^sqlite:(.+)$/.exec(text) ?? []
  if (path === '') return { fault: 'store must be sqlite:<path> or memory' }
  return { type: 'sqlite', path }
}
