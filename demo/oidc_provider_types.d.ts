/** What the demo uses of oidc-provider beyond what the tests do; the package brings no types. */
declare module 'oidc-provider' {
  export interface Check {
    readonly reason: string
  }

  export interface Prompt {
    readonly checks: { add(check: Check): void }
  }

  export interface PolicyContext {
    readonly oidc: { readonly result?: { readonly login?: object } }
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
