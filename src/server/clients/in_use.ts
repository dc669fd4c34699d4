/**
 * Whether anybody has signed in with a client.
 *
 * Anybody can have a document fetched, so that one was fetched before tells nothing of it. A grant is the
 * one thing that a stranger cannot bring about without a user of this server.
 */
import type { Context } from '../config/context.ts'

/** Whether the operator wrote it down, or a grant of it is kept. `StoreUnavailable` passes through. */
export async function isInUse({ config, store }: Context, client_id: string): Promise<boolean> {
  if (config.clients.has(client_id)) return true
  const { rows } = await store.list('grant', 'client_id', client_id, { limit: 1 })
  return rows.length > 0
}
