/**
 * An upstream from words, as the gateway has them from flags and environment: a preset's name or an
 * issuer's URL, and a client's credentials.
 */
import {
  createPresetUpstream,
  findOidcPreset,
  isOAuth2,
  isOidc,
  judgePreset,
  type OAuth2PresetOptions,
} from './named.ts'
import { judgeOidc, oidc } from './oidc.ts'
import { OAUTH2_PRESETS, OIDC_PRESETS } from './presets.ts'
import type { RedirectUpstream } from './upstream.ts'

export interface UpstreamWords {
  /** A preset, or the issuer URL of an OpenID provider. */
  readonly name: string
  readonly client_id?: string
  readonly client_secret?: string
  readonly scope?: readonly string[]
}

/** Every preset's name, sorted. */
export const presetNames: readonly string[] = [
  ...Object.keys(OAUTH2_PRESETS),
  ...Object.keys(OIDC_PRESETS),
].sort()

/** The faults of a setting, each as a sentence; empty when it can be used. */
export function judgeUpstream(setting: UpstreamWords): string[] {
  const { name } = setting
  if (isOAuth2(name) || isOidc(name)) return [...judgePreset(name, optionsOf(setting))]
  if (!/^https?:\/\//i.test(name) || !URL.canParse(name)) {
    return [
      `name must be one of ${presetNames.join(', ')} or the https URL of an OpenID provider's issuer`,
    ]
  }
  const options = { ...optionsOf(setting), issuer: name }
  const preset = findOidcPreset(name)
  return [...(preset === undefined ? judgeOidc(options) : judgePreset(preset, options))]
}

/** @throws RangeError that names every fault. */
export function createUpstream(setting: UpstreamWords): RedirectUpstream {
  const faults = judgeUpstream(setting)
  if (faults.length > 0) throw new RangeError(`upstream: ${faults.join('; ')}`)
  const { name } = setting
  const options = optionsOf(setting)
  if (isOAuth2(name) || isOidc(name)) return createPresetUpstream(name, options)
  const preset = findOidcPreset(name)
  return preset === undefined
    ? oidc({ ...options, issuer: name })
    : createPresetUpstream(preset, { ...options, issuer: name })
}

function optionsOf({ client_id = '', client_secret, scope }: UpstreamWords): OAuth2PresetOptions {
  return {
    client_id,
    ...(client_secret === undefined ? {} : { client_secret }),
    ...(scope === undefined ? {} : { scope }),
  }
}
