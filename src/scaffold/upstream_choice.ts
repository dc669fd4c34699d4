/**
 * The words of `--upstream` as code: a provider's name, the issuer URL of an OpenID provider, or `session`.
 */
import { findOidcPreset, isOAuth2, isOidc } from '../upstream/named.ts'
import { OAUTH2_PRESETS, OIDC_PRESETS } from '../upstream/presets.ts'
import { presetNames } from '../upstream/setting.ts'
import type { Part, Variable } from './part.ts'

export interface UpstreamChoice extends Part {
  /** What people call it. */
  readonly title: string
  /** Where its users' callback URL is registered; undefined where nothing is. */
  readonly registerAt: string | undefined
}

/** What stands where only the app's author knows what to say. */
export const UNSAID = 'mcp_oauth: say here who is signed in'

const SESSION: UpstreamChoice = {
  title: 'your app',
  registerAt: undefined,
  imports: [['@mcp-oauth/server/upstream', 'session']],
  variables: [],
  value: `session({
    name: 'Your app',
    // The user whom the cookies of a request tell: { sub, name, email }. Undefined when nobody is signed in.
    identify: () => {
      throw new Error('${UNSAID}');
    },
    signInUrl: (return_to) => \`/login?return_to=\${encodeURIComponent(return_to)}\`,
  })`,
  left: 'say who is signed in, in `identify` of `session`',
}

/** Where an application is registered. */
const REGISTER: Readonly<{ [name: string]: string }> = {
  atlassian: 'https://developer.atlassian.com/console/myapps/',
  discord: 'https://discord.com/developers/applications',
  entra: 'https://entra.microsoft.com',
  github: 'https://github.com/settings/developers',
  gitlab: 'https://gitlab.com/-/user_settings/applications',
  google: 'https://console.cloud.google.com/auth/clients',
  linear: 'https://linear.app/settings/api',
  notion: 'https://www.notion.so/profile/integrations',
  slack: 'https://api.slack.com/apps',
  spotify: 'https://developer.spotify.com/dashboard',
  tidal: 'https://developer.tidal.com/dashboard',
}

/** The upstream that `word` names, or what is wrong with it. */
export function readUpstream(word: string): UpstreamChoice | { readonly fault: string } {
  if (word === 'session') return SESSION
  if (isOAuth2(word)) return preset(word, OAUTH2_PRESETS[word].name)
  if (isOidc(word)) {
    const { name, issuer, example } = OIDC_PRESETS[word]
    if (issuer !== undefined) return preset(word, name)
    return {
      fault: `each customer of ${name} has an issuer of their own: give that, such as ${example}`,
    }
  }
  return readIssuer(word)
}

function readIssuer(word: string): UpstreamChoice | { readonly fault: string } {
  // Quotes and line ends would not stay in the string that this becomes.
  if (!/^https?:\/\/[\w.~:/[\]@%+-]+$/i.test(word) || !URL.canParse(word)) {
    const names = [...presetNames, 'session'].join(', ')
    return { fault: `upstream must be one of ${names}, or the issuer URL of an OpenID provider` }
  }
  const found = findOidcPreset(word)
  if (found === 'entra') {
    const [, tenant = 'common'] = /^https:\/\/[^/]+\/([^/]+)/.exec(word) ?? []
    return preset(found, OIDC_PRESETS.entra.name, `tenant: '${tenant}'`)
  }
  if (found === undefined) return preset('oidc', new URL(word).host, `issuer: '${word}'`)
  const { name, issuer } = OIDC_PRESETS[found]
  return preset(found, name, ...(issuer === undefined ? [`issuer: '${word}'`] : []))
}

function preset(name: string, title: string, ...options: readonly string[]): UpstreamChoice {
  const prefix = name.toUpperCase()
  const client = { local: 'client_id', about: `The client that is registered at ${title}.` }
  const variables: readonly Variable[] = [
    { name: `${prefix}_CLIENT_ID`, example: '', ...client },
    { name: `${prefix}_CLIENT_SECRET`, example: '', local: 'client_secret', about: 'Its secret.' },
  ]
  return {
    title,
    registerAt: REGISTER[name] ?? `the applications of ${title}`,
    imports: [['@mcp-oauth/server/upstream', name]],
    variables,
    value: callOf(name, options),
  }
}

function callOf(name: string, options: readonly string[]): string {
  if (options.length === 0) return `${name}({ client_id, client_secret })`
  const lines = [...options, 'client_id', 'client_secret'].map((line) => `    ${line},`)
  return `${name}({\n${lines.join('\n')}\n  })`
}

/** The provider whose variables an environment file has already, so that nobody needs to say it. */
export function upstreamOfEnvironment(names: ReadonlySet<string>): string | undefined {
  return presetNames.find((name) => {
    if (isOidc(name) && OIDC_PRESETS[name].issuer === undefined) return false
    return names.has(`${name.toUpperCase()}_CLIENT_ID`)
  })
}
