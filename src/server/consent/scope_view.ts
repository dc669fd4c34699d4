/**
 * Scopes as the consent page shows them: in the words of the server's catalogue, never of the client.
 */
import type { ConsentView } from './consent_view.ts'

/** `before`: what the user has given this client already; undefined where nobody knows. */
export function scopeView(
  catalogue: ReadonlyMap<string, string>,
  scope: readonly string[],
  before: readonly string[] | undefined,
): ConsentView['scopes'] {
  return scope.flatMap((one) => {
    const description = catalogue.get(one)
    // What is not in the catalogue (offline_access) opens nothing.
    if (description === undefined) return []
    return [{ scope: one, description, isNew: before !== undefined && !before.includes(one) }]
  })
}
