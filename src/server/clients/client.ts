/**
 * A client as the rest of the server knows it, whichever way it came to be known.
 */
import type { Hash } from '../../crypto/hash.ts'
import { allowedRedirectUris, type ClientPolicy } from '../../protocol/client_redirects.ts'
import type { ClientMetadata, ClientRecord } from '../../stores/records.ts'
import type { Config } from '../config/context.ts'

export interface Client {
  readonly client_id: string
  /** What is proven of it: the operator wrote it down, anybody registered it, or a host serves it. */
  readonly source: 'static' | ClientRecord['source']
  readonly metadata: ClientMetadata
  readonly client_secret_hash: Hash | undefined
}

/** What the operator allows clients to be. */
export function clientPolicy({ registration, metadataDocuments }: Config): ClientPolicy {
  return {
    privateUseSchemes: registration.privateUseSchemes,
    redirectHosts: registration.redirectHosts,
    allowHttp: metadataDocuments.dangerouslyAllowPrivateAddresses,
  }
}

/** The client of a record, with the redirect URIs that the policy of today still allows. */
export function clientOf(config: Config, record: ClientRecord): Client {
  const { id, source, metadata, client_secret_hash } = record
  const { redirect_uris, application_type } = metadata
  const allowed = allowedRedirectUris(redirect_uris, application_type, clientPolicy(config))
  return {
    client_id: id,
    source,
    metadata: { ...metadata, redirect_uris: allowed },
    client_secret_hash,
  }
}
