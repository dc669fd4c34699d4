/**
 * What the consent page is told: by the server's records, never by the form.
 */
import type { Language } from './language.ts'

/** What the page shows. Names may hold anything: they are cleaned and escaped here. */
export interface ConsentView {
  readonly language: Language
  readonly serverName: string
  /** Whether the issuer is https. */
  readonly secure: boolean
  readonly client: {
    readonly name: string
    readonly client_id: string
    readonly source: 'static' | 'dynamic' | 'metadata_document'
    /** Shown as text among the details; never a link, as the client chose it. */
    readonly client_uri?: string | undefined
  }
  readonly redirect_uri: string
  /** In the words of the server's catalogue; `isNew` marks what the user has not allowed before. */
  readonly scopes: readonly {
    readonly scope: string
    readonly description: string
    readonly isNew?: boolean
  }[]
  readonly resource: string
  readonly resourceName: string
  readonly upstreamName: string
  /** Who is signed in, where that is known already. */
  readonly user:
    { readonly name?: string | undefined; readonly email?: string | undefined } | undefined
  readonly form: { readonly action: string; readonly ticket: string; readonly csrf: string }
}
