/** The one error that endpoints throw on purpose. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError, type OAuthErrorCode } from '../../src/protocol/errors.ts'

/** Every code with the status of its section. The type makes the list whole. */
const STATUS: { readonly [code in OAuthErrorCode]: number } = {
  invalid_request: 400,
  unauthorized_client: 400,
  access_denied: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  invalid_client: 401,
  invalid_grant: 400,
  unsupported_grant_type: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  unapproved_software_statement: 400,
  invalid_target: 400,
  login_required: 400,
  consent_required: 400,
  interaction_required: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
}
const codes = Object.keys(STATUS) as OAuthErrorCode[]

describe('RFC 6749 §5.2 errors', () => {
  it.each(codes)('%s has its status, and can be given another', (code) => {
    expect(new OAuthError(code, 'why').status).toBe(STATUS[code])
    expect(new OAuthError(code, 'why', { status: 413 }).status).toBe(413)
  })

  it('§5.2 no character that error_description MUST NOT have gets into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { description } = new OAuthError('invalid_request', text)
        expect(description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/)
        expect(description.length).toBe(text.length)
      }),
    )
    expect(new OAuthError('invalid_request', 'said "a\\b"\r\n').description).toBe('said ?a?b???')
    expect(new OAuthError('invalid_request', 'it is [fine]').description).toBe('it is [fine]')
  })

  it('what the caller is told and what the log is told are two fields', () => {
    const cause = new Error('inner')
    const error = new OAuthError('invalid_grant', 'outer', { reason: 'kept in the log', cause })
    expect(error).toMatchObject({ description: 'outer', reason: 'kept in the log', cause })
    expect(error.message).not.toContain('log')
    expect(new OAuthError('invalid_grant', 'outer').reason).toBe('outer')
  })
})
