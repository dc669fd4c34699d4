/**
 * A user with a real browser: reads the consent page, agrees, and signs in at the upstream.
 */
import type { Page } from 'playwright-core'
import type { TestBrowser } from '../../support/browser.ts'
import type { TestUser } from '../../support/oidc_provider.ts'

const NAMES: { readonly [user in TestUser]: string } = {
  ada: 'Ada Lovelace',
  grace: 'Grace Hopper',
}

/** Goes from the client's URL to the client's callback. Gives the text of the consent page. */
export async function signInBrowsing(
  { context }: TestBrowser,
  authorizationUrl: string,
  user: TestUser,
): Promise<string> {
  const page = await context.newPage()
  try {
    await page.goto(authorizationUrl)
    const text = await page.innerText('main')
    await page.getByRole('button', { name: 'Allow' }).click()
    await signInUpstream(page, user)
    await page.getByText('You can close this window.').waitFor()
    return text
  } finally {
    await page.close()
  }
}

/** The provider asks who it is, unless it knows, and then whether it may. */
async function signInUpstream(page: Page, user: TestUser): Promise<void> {
  const name = page.getByRole('button', { name: NAMES[user] })
  const allow = page.getByRole('button', { name: 'Allow', exact: true })
  await page.getByRole('heading', { name: /Who are you|Allow mcp-oauth-tests/ }).waitFor()
  if (await name.isVisible()) await name.click()
  await page.getByRole('heading', { name: 'Allow mcp-oauth-tests?' }).waitFor()
  await allow.click()
}
