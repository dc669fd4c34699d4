/**
 * Slack's token answer: https://docs.slack.dev/reference/methods/oauth.v2.access.
 *
 * What is at the top is the bot's. The user's own token is under `authed_user`; a refresh gives it at the
 * top, with `user` as its type.
 */
import { isJsonObject, type JsonObject } from './send.ts'

/** The user's token in the form of RFC 6749 §5.1. A bot's token is no user's and is left out. */
export function readSlackToken(json: JsonObject): JsonObject {
  if (json['ok'] !== true) return json
  const { access_token, refresh_token, expires_in, scope, ...rest } = json
  const own = { access_token, refresh_token, expires_in, scope }
  const of = isJsonObject(json['authed_user']) ? json['authed_user'] : undefined
  // https://docs.slack.dev/authentication/tokens: user tokens begin with xoxp, rotated ones hold it.
  const refreshed = json['token_type'] === 'user' ? own : {}
  const {
    access_token: token,
    refresh_token: refresh,
    expires_in: lifetime,
    scope: scopes,
  } = of ?? {}
  const asked = { access_token: token, refresh_token: refresh, expires_in: lifetime, scope: scopes }
  return { ...rest, ...(token === undefined ? refreshed : asked), token_type: 'bearer' }
}
