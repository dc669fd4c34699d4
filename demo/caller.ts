/** Who calls, as the gateway tells it, and as the identity provider tells it of the user's own token. */

export interface Caller {
  /** Stable and unique: what a note belongs to. */
  readonly user: string
  readonly name: string | undefined
  readonly email: string | undefined
  readonly client: string | undefined
  readonly scope: string | undefined
  /** The user's access token of the identity provider. */
  readonly upstreamToken: string | undefined
}

/** Header values are percent-encoded UTF-8. */
export function readCaller(headers: Headers): Caller {
  const read = (name: string): string | undefined => {
    const value = headers.get(name)
    return value === null ? undefined : decodeURIComponent(value)
  }
  return {
    user: read('x-mcp-user') ?? 'nobody',
    name: read('x-mcp-user-name'),
    email: read('x-mcp-user-email'),
    client: read('x-mcp-client'),
    scope: read('x-mcp-scope'),
    upstreamToken: /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1],
  }
}

/** What the identity provider's userinfo endpoint says to the token; the tool acts as the user. */
export async function askUpstream(userinfo: string, token: string | undefined): Promise<unknown> {
  if (token === undefined) return { error: 'no upstream token came with this call' }
  const response = await fetch(userinfo, { headers: { authorization: `Bearer ${token}` } })
  return response.ok ? await response.json() : { error: `userinfo answered ${response.status}` }
}
