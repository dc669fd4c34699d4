/** The part of oidc-provider that the tests use; the package brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Interaction {
    readonly uid: string
    readonly prompt: {
      readonly name: string
      readonly details: {
        readonly missingOIDCScope?: readonly string[]
        readonly missingOIDCClaims?: readonly string[]
      }
    }
    readonly params: Readonly<{ [name: string]: string | undefined }>
    readonly session?: { readonly accountId: string }
    readonly grantId?: string
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: readonly string[]): void
    save(): Promise<string>
    destroy(): Promise<void>
  }

  export interface OidcContext {
    readonly oidc: { readonly params?: Readonly<{ [name: string]: string | undefined }> }
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    readonly Grant: {
      new (properties: { accountId: string; clientId: string }): Grant
      find(id: string): Promise<Grant | undefined>
    }
    readonly Client: { readonly prototype: { redirectUriAllowed(uri: string): boolean } }
    readonly AccessToken: {
      find(
        value: string,
      ): Promise<{ readonly accountId: string; readonly scope: string } | undefined>
    }
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<void>
    on(event: 'grant.success' | 'grant.error', listener: (context: OidcContext) => void): this
  }
}
