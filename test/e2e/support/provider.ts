/**
 * What an MCP client keeps of one connection, in memory, in the shape that every line of the SDK takes:
 * registration, tokens, verifier, and the URL that it wants the user's browser to open.
 */
import { randomUUID } from 'node:crypto'

type Kept = { [name: string]: unknown }

export interface TestProvider {
  readonly redirectUrl: string
  readonly clientMetadataUrl?: string
  readonly clientMetadata: {
    client_name: string
    redirect_uris: string[]
    token_endpoint_auth_method: string
    grant_types: string[]
    response_types: string[]
  }
  state(): string
  clientInformation(): never | undefined
  saveClientInformation(information: object): void
  tokens(): never | undefined
  saveTokens(tokens: object): void
  redirectToAuthorization(url: URL): void
  saveCodeVerifier(verifier: string): void
  codeVerifier(): string
  invalidateCredentials(what: string): void
  saveDiscoveryState(state: object): void
  discoveryState(): never | undefined
  /** Everything it holds, for the tests. */
  readonly kept: {
    information?: Kept | undefined
    tokens?: Kept | undefined
    authorizationUrl?: URL | undefined
    verifier?: string
    discovery?: object
    readonly state: string
  }
}

/** A client that has never been here. `clientMetadataUrl` makes it one with a metadata document. */
export function createProvider(redirectUrl: string, clientMetadataUrl?: string): TestProvider {
  const kept: TestProvider['kept'] = { state: randomUUID() }
  return {
    kept,
    redirectUrl,
    ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
    clientMetadata: {
      client_name: 'An MCP client',
      redirect_uris: [redirectUrl],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    state: () => kept.state,
    clientInformation: () => kept.information as never,
    saveClientInformation: (information) => void (kept.information = { ...information }),
    tokens: () => kept.tokens as never,
    saveTokens: (tokens) => void (kept.tokens = { ...tokens }),
    redirectToAuthorization: (url) => void (kept.authorizationUrl = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
    invalidateCredentials(what) {
      if (what === 'all' || what === 'tokens') kept.tokens = undefined
      if (what === 'all' || what === 'client') kept.information = undefined
    },
    saveDiscoveryState: (state) => void (kept.discovery = state),
    discoveryState: () => kept.discovery as never,
  }
}
