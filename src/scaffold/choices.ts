/** What is asked of whoever runs `init`, or said by flags. */
import type { StoreName } from './store_choice.ts'
import type { UpstreamChoice } from './upstream_choice.ts'

export interface Choices {
  readonly upstream: UpstreamChoice
  readonly store: StoreName
  /** The path of the MCP endpoint, where it is not to be found in the code. */
  readonly resourcePath?: string | undefined
  readonly issuer?: string | undefined
  readonly port?: number | undefined
  /** A new key for `MCP_OAUTH_KEYS`. */
  readonly key: string
  /** Of this package. */
  readonly version: string
}
