/**
 * What is allowed and should not surprise: told at start, and by `--check`.
 */
import type { Plan } from './plan.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

/** What the settings alone tell. */
export function warnings({ options, backends, store, host, config }: Plan): readonly string[] {
  const issuer = new URL(options.issuer)
  const found: string[] = []
  const isPublic = !LOOPBACK.test(issuer.hostname)
  if (isPublic && issuer.protocol === 'http:') {
    found.push('the issuer is plain http: tokens cross the network readable')
  }
  if (isPublic && LOOPBACK.test(host)) {
    found.push(`listening on ${host} only: a reverse proxy on this machine must bring the callers`)
  }
  if ((isPublic || !LOOPBACK.test(host)) && (config.trustedProxies ?? []).length === 0) {
    found.push(
      'no trusted proxy is named: behind one, all callers share one address and its rate limit',
    )
  }
  if ('type' in store && store.type === 'memory') {
    found.push('the store is memory: everybody signs in again after a restart')
  }
  if (options.allow === undefined) {
    found.push('no allow list: everybody whom the upstream lets in may enter')
  }
  if (config.clientIdMetadataDocuments?.dangerouslyAllowPrivateAddresses === true) {
    found.push('client metadata documents may be fetched from private addresses')
  }
  return [...found, ...Object.values(backends).flatMap(warnOfBackend)]
}

function warnOfBackend({ to, identity }: Plan['backends'][string]): readonly string[] {
  const url = new URL(to)
  if (LOOPBACK.test(url.hostname)) return []
  return [
    ...(url.protocol === 'http:'
      ? [`${url.origin} is plain http on another machine: calls cross the network readable`]
      : []),
    ...([identity].flat().includes('headers')
      ? [`identity headers to ${url.origin}: whoever reaches it without the gateway can forge them`]
      : []),
  ]
}
