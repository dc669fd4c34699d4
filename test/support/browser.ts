/**
 * A real Chromium for the tests that only a browser can answer.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import { suiteThatNeeds, type Suite } from './suite_needs.ts'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser with a profile of its own; `close` ends it and removes the profile. */
export interface TestBrowser {
  readonly context: BrowserContext
  close(): Promise<void>
}

export interface BrowserOptions {
  readonly locale?: string
  readonly colorScheme?: 'light' | 'dark'
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly deviceScaleFactor?: number
  readonly javaScriptEnabled?: boolean
}

/** Debian's Chromium, or the one that `CHROMIUM_PATH` names; undefined when there is none. */
export function findChromium(): string | undefined {
  const path = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  return existsSync(path) ? path : undefined
}

/** Starts Chromium with a new, empty profile. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium; apt-get install chromium')
  const profile = await mkdtemp(join(tmpdir(), 'mcp-oauth-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ARGUMENTS,
    ...options,
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

/** A suite that needs Chromium, which `CHROMIUM_PATH` may name. */
export const browserSuite: Suite = suiteThatNeeds(
  'Chromium',
  'chromium',
  () => findChromium() !== undefined,
)
