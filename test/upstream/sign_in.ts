/** What each test of an upstream needs: a sign-in under way, and how it failed. */
import {
  type RedirectUpstream,
  UpstreamError,
  type UpstreamSignIn,
} from '../../src/upstream/upstream.ts'

export const SIGN_IN: UpstreamSignIn = {
  redirect_uri: 'http://127.0.0.1:9/callback',
  state: 'state-of-this-sign-in',
  nonce: 'nonce-of-this-sign-in',
  code_verifier: 'verifier-of-this-sign-in-0123456789-0123456789',
}
export const HINTS: Parameters<RedirectUpstream['authorizationUrl']>[1] = {
  prompt: [],
  login_hint: undefined,
}
export const CALLBACK: string = `code=a-code&state=${SIGN_IN.state}`

/** The UpstreamError of `work`; anything else is thrown on, and success is an error. */
export async function failureOf(work: Promise<unknown>): Promise<UpstreamError> {
  try {
    await work
  } catch (error) {
    if (error instanceof UpstreamError) return error
    throw error
  }
  throw new Error('it did not fail')
}
