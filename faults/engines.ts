/** The stores that the faults are tried on, each fresh and in a directory of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Engine {
  readonly name: string
  start(): Promise<Ground>
}

/** A store that several server processes may open. */
export interface Ground {
  /** As `--store` spells it. */
  readonly store: string
  /** Every byte that the engine has on its disk just now. */
  bytes(): readonly Buffer[]
  close(): Promise<void>
}

export const ENGINES: readonly Engine[] = [{ name: 'SQLite', start: startSqlite }]

async function startSqlite(): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oauth-faults-'))
  return {
    store: `sqlite:${join(directory, 'store.db')}`,
    bytes: () => bytesBelow(directory),
    close: async () => rmSync(directory, { recursive: true, force: true }),
  }
}

function bytesBelow(directory: string): readonly Buffer[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
}
