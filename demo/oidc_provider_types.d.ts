/** What the demo uses of oidc-provider beyond what the tests do; the package brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Check {
    readonly reason: string
  }

  export interface Prompt {
    readonly checks: { add(check: Check): void }
  }

  export interface PolicyContext {
    readonly oidc: { readonly result?: { readonly login?: object } }
  }

  export interface Session {
    persist(): Promise<string>
  }

  export interface Provider {
    /** Keeps the result, and tells where the browser goes on. */
    interactionResult(
      request: IncomingMessage,
      response: ServerResponse,
      result: object,
    ): Promise<string>
    readonly Session: { findByUid(uid: string): Promise<Session | undefined> }
  }

  export const interactionPolicy: {
    base(): { get(name: 'login' | 'consent'): Prompt }
    readonly Check: new (
      reason: string,
      description: string,
      check: (context: PolicyContext) => boolean,
    ) => Check
  }
}
