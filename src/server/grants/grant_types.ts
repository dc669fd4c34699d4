/**
 * The grants that the token endpoint serves, by their `grant_type`. One file each.
 */
import type { Form } from '../../http/form.ts'
import type { Client } from '../clients/client.ts'
import type { Context } from '../config/context.ts'
import { authorizationCode } from './authorization_code.ts'
import { refreshToken } from './refresh_token.ts'
import type { TokenResponse } from './token_response.ts'

/** What a grant type does with a request whose client is authenticated. @throws OAuthError */
export type Grant = (context: Context, client: Client, form: Form) => Promise<TokenResponse>

export const GRANT_TYPES: ReadonlyMap<string, Grant> = new Map([
  ['authorization_code', authorizationCode],
  ['refresh_token', refreshToken],
])
