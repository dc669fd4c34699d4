/**
 * JSON from strangers: RFC 8259.
 *
 * UTF-8 without a byte order mark (§8.1). Of a name that stands twice the last value counts (§4 leaves
 * it open): it is what the platform's parser does, and no second parser reads these documents.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The value of a JSON text; undefined when the bytes are none. */
export function parseJsonDocument(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(UTF8.decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}

/** Whether a content type says JSON: `application/json`, or `application/<something>+json`. */
export function isJsonType(type: string | undefined): boolean {
  const essence = type?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json$/.test(essence)
}
