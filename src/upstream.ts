export { oauth2, type OAuth2Options } from './upstream/generic.ts'
export type { IdentityMapping } from './upstream/identity.ts'
export type { ClientOptions } from './upstream/judge.ts'
export {
  atlassian,
  auth0,
  discord,
  entra,
  type EntraOptions,
  github,
  gitlab,
  google,
  keycloak,
  linear,
  notion,
  type OAuth2PresetOptions,
  type OidcPresetOptions,
  type OidcTenantOptions,
  okta,
  slack,
  spotify,
  tidal,
} from './upstream/named.ts'
export type { ClientAuthMethod } from './upstream/oauth2.ts'
export { oidc, type OidcOptions } from './upstream/oidc.ts'
export type { Endpoints } from './upstream/provider.ts'
export { session, type SessionOptions, type SessionUser } from './upstream/session.ts'
export {
  createUpstream,
  judgeUpstream,
  presetNames,
  type UpstreamWords,
} from './upstream/setting.ts'
export {
  type RedirectUpstream,
  type SessionUpstream,
  type Upstream,
  UpstreamError,
  type UpstreamFailure,
  type UpstreamSignIn,
  type UpstreamTokens,
} from './upstream/upstream.ts'
