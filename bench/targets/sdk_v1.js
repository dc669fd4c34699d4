/** `mcpAuthRouter` and `requireBearerAuth` of @modelcontextprotocol/sdk, v1. */
import {
  InvalidGrantError,
  InvalidTokenError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js'
import { startSdk } from './sdk_app.js'

const SDK = { InvalidGrantError, InvalidTokenError, mcpAuthRouter, requireBearerAuth }

export function start(options) {
  return startSdk(options, SDK)
}
