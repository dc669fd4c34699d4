/**
 * A user without a screen: opens the URL that a client wants opened, agrees, signs in at the upstream,
 * and brings back the URL at which the client waits.
 */
import { createAgent, type Agent } from '../../support/agent.ts'
import { decide } from '../../support/flow.ts'
import type { TestOidcProvider, TestUser } from '../../support/oidc_provider.ts'

/** The client's callback, with code and state, as the user's browser would load it. */
export async function signInHeadless(
  authorizationUrl: string,
  provider: TestOidcProvider,
  user: TestUser,
  agent: Agent = createAgent(),
): Promise<URL> {
  const page = await agent.get(authorizationUrl)
  if (page.status !== 200) throw new Error(`no consent page: ${page.status} ${page.leadsTo}`)
  const issuer = authorizationUrl.split('/authorize?')[0] ?? ''
  const approved = await decide({ issuer }, agent, page)
  const callback = await provider.signIn(approved.leadsTo ?? '', user)
  const arrived = await agent.get(callback)
  if (arrived.leadsTo === undefined)
    throw new Error(`no way back: ${arrived.status} ${arrived.body}`)
  return new URL(arrived.leadsTo)
}
