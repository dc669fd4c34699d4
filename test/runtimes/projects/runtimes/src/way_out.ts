/**
 * The way out of the package, asked over HTTP: a fetch as JSON in, its result or its failure out. Not by a
 * door, for none hands it out.
 */
import {
  createSafeFetch,
  FetchError,
} from '../node_modules/@mcp-oauth/server/dist/http/safe_fetch.js'

interface Asked {
  readonly url: string
  readonly maxBytes: number
  readonly timeout: number
  readonly trustedOrigins?: readonly string[]
  readonly anywhere?: boolean
  /** The address of every name, which then counts as public; looked up where there is none. */
  readonly pinned?: string
  readonly ca?: string
}

export async function answer(request: Request): Promise<Response> {
  if (request.method === 'GET') return new Response('ready')
  const { url, trustedOrigins = [], anywhere = false, ...asked } = (await request.json()) as Asked
  const { pinned, ca, ...limits } = asked
  const fetch = createSafeFetch(
    { trustedOrigins, dangerouslyAllowPrivateAddresses: anywhere },
    {
      ...(pinned !== undefined && {
        resolve: async () => [pinned],
        isPublic: (one) => one === pinned,
      }),
      ...(ca !== undefined && { ca }),
    },
  )
  try {
    const { status, headers, body } = await fetch(url, limits)
    return Response.json({ status, headers, body: Buffer.from(body).toString() })
  } catch (error) {
    if (!(error instanceof FetchError)) return Response.json({ thrown: String(error) })
    return Response.json({ failure: error.failure, message: error.message })
  }
}
