/**
 * The way out of the package, asked over HTTP: a fetch as JSON in, its result or its failure out. Not by a
 * door, for none hands it out, so from the tree that the package is made of.
 */
import { createKeptFetch } from '../tree/http/kept_fetch.js'
import { createSafeFetch, FetchError } from '../tree/http/safe_fetch.js'

interface Asked {
  readonly url: string
  readonly maxBytes: number
  readonly timeout: number
  readonly trustedOrigins?: readonly string[]
  readonly anywhere?: boolean
  /** The address of every name, which then counts as public; looked up where there is none. */
  readonly pinned?: string
  readonly ca?: string
  /** Over a connection that is kept. */
  readonly kept?: boolean
}

/** Made by the first that asks for one; the tests ask alike. */
let keptFetch: ReturnType<typeof createKeptFetch> | undefined

export async function answer(request: Request): Promise<Response> {
  if (request.method === 'GET') return new Response('ready')
  const { url, trustedOrigins = [], anywhere = false, ...asked } = (await request.json()) as Asked
  const { pinned, ca, kept = false, ...limits } = asked
  const policy = { trustedOrigins, dangerouslyAllowPrivateAddresses: anywhere }
  const edge = {
    ...(pinned !== undefined && {
      resolve: async () => [pinned],
      isPublic: (one: string) => one === pinned,
    }),
    ...(ca !== undefined && { ca }),
  }
  if (kept) keptFetch ??= createKeptFetch(policy, edge)
  const fetch = (kept ? keptFetch : undefined) ?? createSafeFetch(policy, edge)
  try {
    const { status, headers, body } = await fetch(url, limits)
    return Response.json({ status, headers, body: Buffer.from(body).toString() })
  } catch (error) {
    if (!(error instanceof FetchError)) return Response.json({ thrown: String(error) })
    return Response.json({ failure: error.failure, message: error.message })
  }
}
