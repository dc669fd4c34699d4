/**
 * Providers by name, as data: endpoints, where the user is in their answers, and what each does in a way
 * of its own. The page that says so stands above each row.
 */
import type { OidcQuirks } from './oidc.ts'
import type { Endpoints, Provider } from './provider.ts'
import { readSlackToken } from './slack.ts'

/** A provider that speaks OAuth 2.0 only. */
export interface OAuth2Preset
  extends Endpoints, Partial<Pick<Provider, 'dialect' | 'revocation' | 'userinfoRequest'>> {
  readonly name: string
  readonly issuer: string
  readonly sendsIss?: boolean
  readonly identify: Provider['identify']
  readonly identifyFrom?: Provider['identifyFrom']
  /** Always asked for: what it takes to know who signed in, and to stay connected. */
  readonly identityScope: readonly string[]
  /** Asked for when the operator asks for nothing. */
  readonly defaultScope?: readonly string[]
  readonly scopeParameter?: string
  readonly scopeSeparator?: string
  readonly authorizationParameters?: Readonly<{ [name: string]: string }>
  /** How the client secret is sent. */
  readonly authMethod: 'client_secret_basic' | 'client_secret_post'
  readonly needsSecret?: boolean
}

/** A provider that speaks OpenID Connect. */
export interface OidcPreset {
  readonly name: string
  /** Undefined where each customer has an issuer of their own, which looks like `example`. */
  readonly issuer?: string
  readonly example: string
  /** The hosts of such issuers, so that an issuer alone is enough to be recognised. */
  readonly hosts: RegExp
  readonly offlineAccess?: boolean
  readonly authorizationParameters?: Readonly<{ [name: string]: string }>
  readonly needsSecret?: boolean
  readonly quirks: OidcQuirks
}

export type OAuth2PresetName =
  'github' | 'slack' | 'tidal' | 'spotify' | 'notion' | 'linear' | 'discord' | 'atlassian'
export type OidcPresetName = 'google' | 'entra' | 'gitlab' | 'auth0' | 'okta' | 'keycloak'

export const OAUTH2_PRESETS: Readonly<{ [K in OAuth2PresetName]: OAuth2Preset }> = {
  // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
  // https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
  // Errors come with 200. Since April 2026 callbacks name the issuer (RFC 9207). A login name can be
  // given up and taken by somebody else, the number cannot.
  github: {
    name: 'GitHub',
    issuer: 'https://github.com/login/oauth',
    sendsIss: true,
    authorization_endpoint: 'https://github.com/login/oauth/authorize',
    token_endpoint: 'https://github.com/login/oauth/access_token',
    revocation_endpoint: 'https://api.github.com/applications/{client_id}/token',
    userinfo_endpoint: 'https://api.github.com/user',
    emails_endpoint: 'https://api.github.com/user/emails',
    identify: { sub: 'id', name: ['name', 'login'], email: 'email' },
    identityScope: ['user:email'],
    authMethod: 'client_secret_post',
    needsSecret: true,
    revocation: 'github',
    dialect: {
      errors: {
        bad_verification_code: 'invalid_grant',
        bad_refresh_token: 'invalid_grant',
        incorrect_client_credentials: 'invalid_client',
      },
    },
  },
  // https://docs.slack.dev/reference/methods/oauth.v2.access
  // https://docs.slack.dev/authentication/using-token-rotation
  // https://docs.slack.dev/authentication/using-pkce: an app with PKCE is a public client for good, and
  // PKCE together with the secret is refused.
  slack: {
    name: 'Slack',
    issuer: 'https://slack.com',
    authorization_endpoint: 'https://slack.com/oauth/v2/authorize',
    token_endpoint: 'https://slack.com/api/oauth.v2.access',
    revocation_endpoint: 'https://slack.com/api/auth.revoke',
    // A user id is unique in its workspace only.
    identify: { sub: ['team.id', 'authed_user.id'] },
    identifyFrom: 'token',
    identityScope: [],
    defaultScope: ['users:read'],
    scopeParameter: 'user_scope',
    scopeSeparator: ',',
    authMethod: 'client_secret_post',
    revocation: 'slack',
    dialect: {
      readToken: readSlackToken,
      noPkceWithSecret: true,
      errors: {
        invalid_code: 'invalid_grant',
        code_already_used: 'invalid_grant',
        invalid_refresh_token: 'invalid_grant',
        token_expired: 'invalid_grant',
        token_revoked: 'invalid_grant',
        account_inactive: 'invalid_grant',
        bad_client_secret: 'invalid_client',
        invalid_client_id: 'invalid_client',
      },
    },
  },
  // https://developer.tidal.com/documentation/api-sdk/api-sdk-authorization
  // Refresh tokens are not rotated.
  tidal: {
    name: 'TIDAL',
    issuer: 'https://auth.tidal.com',
    authorization_endpoint: 'https://login.tidal.com/authorize',
    token_endpoint: 'https://auth.tidal.com/v1/oauth2/token',
    userinfo_endpoint: 'https://openapi.tidal.com/v2/users/me',
    userinfoRequest: { headers: { accept: 'application/vnd.api+json' } },
    identify: {
      sub: 'data.id',
      name: 'data.attributes.username',
      email: 'data.attributes.email',
      email_verified: 'data.attributes.emailVerified',
    },
    identityScope: ['user.read'],
    authMethod: 'client_secret_post',
  },
  // https://developer.spotify.com/documentation/web-api/tutorials/code-flow
  // https://developer.spotify.com/documentation/web-api/reference/get-current-users-profile: the address
  // is unverified.
  spotify: {
    name: 'Spotify',
    issuer: 'https://accounts.spotify.com',
    authorization_endpoint: 'https://accounts.spotify.com/authorize',
    token_endpoint: 'https://accounts.spotify.com/api/token',
    userinfo_endpoint: 'https://api.spotify.com/v1/me',
    identify: { sub: 'id', name: 'display_name', email: 'email' },
    identityScope: ['user-read-email'],
    authMethod: 'client_secret_basic',
  },
  // https://developers.notion.com/guides/get-started/authorization
  // Basic, JSON, no scopes; the user stands in the token answer.
  notion: {
    name: 'Notion',
    issuer: 'https://api.notion.com',
    authorization_endpoint: 'https://api.notion.com/v1/oauth/authorize',
    token_endpoint: 'https://api.notion.com/v1/oauth/token',
    revocation_endpoint: 'https://api.notion.com/v1/oauth/revoke',
    identify: { sub: 'owner.user.id', name: 'owner.user.name', email: 'owner.user.person.email' },
    identifyFrom: 'token',
    identityScope: [],
    authorizationParameters: { owner: 'user' },
    authMethod: 'client_secret_basic',
    needsSecret: true,
    revocation: 'notion',
    dialect: { jsonBody: true },
  },
  // https://linear.app/developers/oauth-2-0-authentication
  // Scopes are parted by commas; refresh tokens rotate.
  linear: {
    name: 'Linear',
    issuer: 'https://linear.app',
    authorization_endpoint: 'https://linear.app/oauth/authorize',
    token_endpoint: 'https://api.linear.app/oauth/token',
    revocation_endpoint: 'https://api.linear.app/oauth/revoke',
    userinfo_endpoint: 'https://api.linear.app/graphql',
    userinfoRequest: {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { id name email } }' }),
    },
    identify: { sub: 'data.viewer.id', name: 'data.viewer.name', email: 'data.viewer.email' },
    identityScope: ['read'],
    scopeSeparator: ',',
    authMethod: 'client_secret_post',
  },
  // https://docs.discord.com/developers/topics/oauth2
  discord: {
    name: 'Discord',
    issuer: 'https://discord.com',
    authorization_endpoint: 'https://discord.com/oauth2/authorize',
    token_endpoint: 'https://discord.com/api/oauth2/token',
    revocation_endpoint: 'https://discord.com/api/oauth2/token/revoke',
    userinfo_endpoint: 'https://discord.com/api/users/@me',
    identify: {
      sub: 'id',
      name: ['global_name', 'username'],
      email: 'email',
      email_verified: 'verified',
    },
    identityScope: ['identify', 'email'],
    authMethod: 'client_secret_basic',
  },
  // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
  // Refresh tokens come with offline_access only, and rotate.
  atlassian: {
    name: 'Atlassian',
    issuer: 'https://auth.atlassian.com',
    authorization_endpoint: 'https://auth.atlassian.com/authorize',
    token_endpoint: 'https://auth.atlassian.com/oauth/token',
    userinfo_endpoint: 'https://api.atlassian.com/me',
    identify: { sub: 'account_id', name: 'name', email: 'email' },
    identityScope: ['read:me', 'offline_access'],
    authorizationParameters: { audience: 'api.atlassian.com', prompt: 'consent' },
    authMethod: 'client_secret_post',
    needsSecret: true,
  },
}

export const OIDC_PRESETS: Readonly<{ [K in OidcPresetName]: OidcPreset }> = {
  // https://developers.google.com/identity/protocols/oauth2/web-server#offline
  // A refresh token comes with access_type=offline, and a second time only with prompt=consent.
  google: {
    name: 'Google',
    issuer: 'https://accounts.google.com',
    example: 'https://accounts.google.com',
    hosts: /^accounts\.google\.com$/,
    offlineAccess: false,
    authorizationParameters: { access_type: 'offline', prompt: 'consent' },
    needsSecret: true,
    quirks: { prompts: ['select_account'] },
  },
  // https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
  // A `resource` parameter is an error there, and scopes carry the audience. The e-mail address is what
  // the tenant's administrator typed, and no claim says otherwise.
  entra: {
    name: 'Microsoft',
    example: 'https://login.microsoftonline.com/TENANT-ID/v2.0',
    hosts: /^login\.microsoftonline\.com$/,
    offlineAccess: true,
    quirks: { noUserinfo: true, noConsentPrompt: true },
  },
  // https://docs.gitlab.com/integration/openid_connect_provider/
  // Refresh tokens come unasked, and rotate.
  gitlab: {
    name: 'GitLab',
    issuer: 'https://gitlab.com',
    example: 'https://gitlab.example.com',
    hosts: /^gitlab\.com$/,
    offlineAccess: false,
    quirks: {},
  },
  // https://auth0.com/docs/get-started/authentication-and-authorization-flow
  // The issuer ends with a slash.
  auth0: {
    name: 'Auth0',
    example: 'https://TENANT.auth0.com/',
    hosts: /\.auth0\.com$/,
    quirks: {},
  },
  // https://developer.okta.com/docs/concepts/auth-servers/
  okta: {
    name: 'Okta',
    example: 'https://TENANT.okta.com or https://TENANT.okta.com/oauth2/default',
    hosts: /\.(okta|oktapreview|okta-emea)\.com$/,
    quirks: {},
  },
  // https://www.keycloak.org/securing-apps/oidc-layers
  keycloak: {
    name: 'Keycloak',
    example: 'https://sso.example.com/realms/REALM',
    hosts: /(?!)/,
    quirks: {},
  },
}
