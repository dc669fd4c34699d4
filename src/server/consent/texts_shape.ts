/**
 * What every language must say.
 */
import type { Html } from '../../http/html.ts'
import type { ErrorKind } from './error_kind.ts'

/** A heading and one or two plain sentences: what happened, what to do next. */
export interface ErrorText {
  readonly title: string
  readonly body: string
}

/** The texts of one language. What other people named comes as Html, cleaned and isolated. */
export interface Texts {
  /** BCP 47. */
  readonly lang: string
  readonly nameless: string
  readonly consent: {
    readonly title: (client: string) => string
    readonly heading: (client: Html, resource: Html) => Html
    readonly registered: (server: Html) => Html
    readonly verified: (host: string) => Html
    readonly unverified: string
    readonly receiver: string
    readonly thisComputer: string
    readonly appOf: (scheme: string) => Html
    readonly actsOn: string
    readonly next: string
    readonly nextSignIn: (upstream: Html) => Html
    readonly user: string
    readonly otherHostTitle: string
    readonly otherHost: (clientHost: string, receiverHost: string) => Html
    readonly loopbackTitle: string
    readonly loopback: string
    readonly privateUseTitle: string
    readonly privateUse: (scheme: string) => Html
    readonly scopes: string
    readonly noScopes: string
    readonly isNew: string
    readonly approve: string
    readonly deny: string
    readonly advice: string
    readonly details: string
  }
  readonly goOn: {
    readonly upstreamTitle: (name: string) => string
    readonly upstream: (name: Html) => Html
    readonly signedInTitle: string
    readonly deniedTitle: string
    readonly failedTitle: string
    readonly back: (name: Html) => Html
    readonly deniedBack: (name: Html) => Html
    readonly failedBack: (name: Html) => Html
    readonly opensApp: (name: Html) => Html
    readonly close: string
    readonly upstreamLink: (name: Html) => Html
    readonly clientLink: (name: Html) => Html
  }
  readonly errors: { readonly [K in ErrorKind]: ErrorText }
  readonly signedInAs: (user: Html) => Html
  readonly retryIn: (seconds: number) => string
  readonly forDevelopers: string
  readonly reference: string
}
