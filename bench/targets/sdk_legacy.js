/** The same of @modelcontextprotocol/server-legacy, which v2 of the SDK has frozen it in. */
import * as sdk from '@modelcontextprotocol/server-legacy/auth'
import { startSdk } from './sdk_app.js'

export function start(options) {
  return startSdk(options, sdk)
}
