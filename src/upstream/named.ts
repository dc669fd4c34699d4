/**
 * One function for each provider that is known by name: what `presets` has of it, with a client's own
 * credentials.
 */
import { originsOf } from './endpoint.ts'
import {
  type ClientOptions,
  judgeClient,
  judgeEndpoints,
  judgeId,
  judgeIssuer,
  refuseFaults,
  TIMEOUT,
} from './judge.ts'
import { createOidcUpstream, judgeOidc, type OidcOptions } from './oidc.ts'
import {
  OAUTH2_PRESETS,
  type OAuth2Preset,
  type OAuth2PresetName,
  OIDC_PRESETS,
  type OidcPreset,
  type OidcPresetName,
} from './presets.ts'
import { createProviderUpstream, type Endpoints } from './provider.ts'
import type { RedirectUpstream } from './upstream.ts'

/** The options of a provider that speaks OAuth 2.0 only. */
export interface OAuth2PresetOptions extends ClientOptions {
  /** Stable and short: part of stored records. The preset's name by default. */
  readonly id?: string
  /** Other endpoints, for an instance of one's own. */
  readonly endpoints?: Partial<Endpoints>
  /** Whose users these are; with other endpoints it must be another. */
  readonly issuer?: string
}

/** The options of an OpenID provider of which there is one. */
export interface OidcPresetOptions extends ClientOptions {
  readonly id?: string
  readonly issuer?: string
  readonly offlineAccess?: boolean
}

/** The options of an OpenID provider of which each customer has one. */
export interface OidcTenantOptions extends OidcPresetOptions {
  /** To the letter as the provider's metadata has it. */
  readonly issuer: string
}

export interface EntraOptions extends OidcPresetOptions {
  /** A directory id, or `common`, `organizations` or `consumers` for several tenants. */
  readonly tenant: string
}

const ENTRA = 'https://login.microsoftonline.com'
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'
const DIRECTORY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const github: (options: OAuth2PresetOptions) => RedirectUpstream = named('github')
export const slack: (options: OAuth2PresetOptions) => RedirectUpstream = named('slack')
export const tidal: (options: OAuth2PresetOptions) => RedirectUpstream = named('tidal')
export const spotify: (options: OAuth2PresetOptions) => RedirectUpstream = named('spotify')
export const notion: (options: OAuth2PresetOptions) => RedirectUpstream = named('notion')
export const linear: (options: OAuth2PresetOptions) => RedirectUpstream = named('linear')
export const discord: (options: OAuth2PresetOptions) => RedirectUpstream = named('discord')
export const atlassian: (options: OAuth2PresetOptions) => RedirectUpstream = named('atlassian')
export const google: (options: OidcPresetOptions) => RedirectUpstream = issued('google')
export const gitlab: (options: OidcPresetOptions) => RedirectUpstream = issued('gitlab')
export const auth0: (options: OidcTenantOptions) => RedirectUpstream = issued('auth0')
export const okta: (options: OidcTenantOptions) => RedirectUpstream = issued('okta')
export const keycloak: (options: OidcTenantOptions) => RedirectUpstream = issued('keycloak')

/** Microsoft Entra. A tenant's domain name is no directory id: the issuer is spelt with the latter. */
export function entra({ tenant, ...options }: EntraOptions): RedirectUpstream {
  return createPresetUpstream('entra', { issuer: `${ENTRA}/${tenant}/v2.0`, ...options })
}

/** @throws RangeError that names every fault. */
export function createPresetUpstream(
  name: OAuth2PresetName | OidcPresetName,
  options: OAuth2PresetOptions,
): RedirectUpstream {
  refuseFaults(`upstream ${name}`, judgePreset(name, options))
  return isOAuth2(name)
    ? createProviderUpstream(describe(name, OAUTH2_PRESETS[name], options))
    : createOidcUpstream(...describeOidc(name, OIDC_PRESETS[name], options))
}

/** The faults of a preset's options. */
export function judgePreset(
  name: OAuth2PresetName | OidcPresetName,
  options: OAuth2PresetOptions,
): readonly string[] {
  const preset = isOAuth2(name) ? OAUTH2_PRESETS[name] : OIDC_PRESETS[name]
  const needsSecret = preset.needsSecret === true && options.client_secret === undefined
  const missing = needsSecret ? [`client_secret is missing, and ${preset.name} needs it`] : []
  if (isOAuth2(name)) {
    return [
      ...missing,
      ...(options.id === undefined ? [] : judgeId(options.id)),
      ...(options.issuer === undefined ? [] : judgeIssuer(options.issuer)),
      ...judgeEndpoints(options.endpoints ?? {}),
      ...judgeClient(options),
    ]
  }
  const { issuer = OIDC_PRESETS[name].issuer } = options
  if (issuer === undefined) {
    return [
      ...missing,
      ...judgeClient(options),
      `each customer of ${preset.name} has an issuer of their own: use it as the name, such as ${OIDC_PRESETS[name].example}`,
    ]
  }
  const faults = name === 'entra' ? judgeTenant(issuer) : []
  return [...missing, ...faults, ...judgeOidc({ ...options, issuer })]
}

/** The preset whose hosts an issuer is on. */
export function findOidcPreset(issuer: string): OidcPresetName | undefined {
  const { hostname } = new URL(issuer)
  return Object.entries(OIDC_PRESETS)
    .filter(([, { hosts }]) => hosts.test(hostname))
    .map(([name]) => name)
    .find(isOidc)
}

export function isOAuth2(name: string): name is OAuth2PresetName {
  return Object.hasOwn(OAUTH2_PRESETS, name)
}

export function isOidc(name: string): name is OidcPresetName {
  return Object.hasOwn(OIDC_PRESETS, name)
}

function named(name: OAuth2PresetName): (options: OAuth2PresetOptions) => RedirectUpstream {
  return (options) => createPresetUpstream(name, options)
}

function issued(name: OidcPresetName): (options: OidcPresetOptions) => RedirectUpstream {
  return (options) => createPresetUpstream(name, options)
}

function describe(
  name: OAuth2PresetName,
  preset: OAuth2Preset,
  options: OAuth2PresetOptions,
): Parameters<typeof createProviderUpstream>[0] {
  const { endpoints = {}, client_secret, scope = preset.defaultScope ?? [] } = options
  return {
    ...preset,
    ...endpoints,
    id: options.id ?? name,
    issuer: options.issuer ?? preset.issuer,
    sendsIss: preset.sendsIss ?? false,
    identifyFrom: preset.identifyFrom ?? 'userinfo',
    userinfoRequest: preset.userinfoRequest ?? {},
    scope: [...new Set([...preset.identityScope, ...scope])],
    scopeParameter: preset.scopeParameter ?? 'scope',
    scopeSeparator: preset.scopeSeparator ?? ' ',
    authorizationParameters: {
      ...preset.authorizationParameters,
      ...options.authorizationParameters,
    },
    tokenParameters: options.tokenParameters ?? {},
    authMethod:
      options.token_endpoint_auth_method ??
      (client_secret === undefined ? 'none' : preset.authMethod),
    revocation: preset.revocation ?? 'rfc7009',
    dialect: preset.dialect ?? {},
    client_id: options.client_id,
    client_secret,
    trustedOrigins: [...originsOf(Object.values(endpoints)), ...(options.trustedOrigins ?? [])],
    timeout: options.timeout ?? TIMEOUT,
  }
}

function describeOidc(
  name: OidcPresetName,
  preset: OidcPreset,
  { issuer = preset.issuer ?? '', ...options }: OidcPresetOptions,
): Parameters<typeof createOidcUpstream> {
  const { offlineAccess = preset.offlineAccess } = options
  const described: OidcOptions = {
    ...options,
    issuer: name === 'entra' ? issuer.replace('/consumers/', `/${CONSUMERS}/`) : issuer,
    id: options.id ?? name,
    name: preset.name,
    ...(offlineAccess === undefined ? {} : { offlineAccess }),
    authorizationParameters: {
      ...preset.authorizationParameters,
      ...options.authorizationParameters,
    },
  }
  const manyTenants = /\/(common|organizations)\/v2\.0$/.test(issuer) && name === 'entra'
  const documentIssuer = manyTenants ? { documentIssuer: `${ENTRA}/{tenantid}/v2.0` } : {}
  return [described, { ...preset.quirks, ...documentIssuer }]
}

function judgeTenant(issuer: string): readonly string[] {
  const [, tenant = ''] = /\/([^/]+)\/v2\.0$/.exec(issuer) ?? []
  const known = DIRECTORY.test(tenant) || /^(common|organizations|consumers)$/.test(tenant)
  return known
    ? []
    : ['tenant must be a directory id, common, organizations or consumers, with /v2.0 after it']
}
