export { createMcpOAuth, type Caller, type McpOAuth } from './server/server.ts'
export type { ProtectedExtra, ProtectedHandler } from './server/protected_call.ts'
export { onFirstUse } from './server/first_use.ts'
export { OptionsError } from './server/config/judge.ts'
export type {
  AllowOptions,
  Lifetimes,
  MetadataDocumentOptions,
  Options,
  RateLimits,
  RegistrationOptions,
  ResourceOptions,
  ResourceServerOptions,
  ScopeOptions,
  StaticClientOptions,
} from './server/config/options.ts'
export { WELL_KNOWN_REDIRECT_HOSTS } from './server/config/defaults.ts'
export type { Config, Resource } from './server/config/context.ts'
export type { Adoption, ForeignSession } from './server/connections/adopt.ts'
export { KeysRefused } from './server/keys/key_register.ts'
export type { EmittedEvent, Event } from './server/config/events.ts'
export type { Guarded, GuardOptions } from './guard/guard.ts'
export type { AuthExtra, AuthInfo } from './guard/verifier.ts'
export type { WithExtra } from './guard/caller.ts'
export type { InvalidToken, TokenVerifier } from './guard/token_verifier.ts'
export type { HttpRequest, HttpResponse } from './http/message.ts'
export { OAuthError, type OAuthErrorCode, type OAuthErrorDetails } from './protocol/errors.ts'
export {
  StoreUnavailable,
  type Listing,
  type Page,
  type Store,
  type Versioned,
} from './stores/store.ts'
export type { Indexes, Kind, Records, User } from './stores/records.ts'
export { generateKey } from './crypto/keyring.ts'
export { unwrapKeys, wrapKey, type KeyUnwrapper, type KeyWrapper } from './crypto/wrapped_key.ts'
