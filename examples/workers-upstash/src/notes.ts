/** Notes by user, in the database that has the sign-ins, too: a Worker keeps nothing in memory for long. */
export async function listNotes(user: string): Promise<readonly string[]> {
  return (await redis('LRANGE', `notes:${user}`, '0', '-1')) as string[]
}

export async function addNote(user: string, text: string): Promise<void> {
  await redis('RPUSH', `notes:${user}`, text)
}

async function redis(...command: readonly string[]): Promise<unknown> {
  const { KV_REST_API_URL = '', KV_REST_API_TOKEN = '' } = process.env
  const headers = { authorization: `Bearer ${KV_REST_API_TOKEN}` }
  const body = JSON.stringify(command)
  const response = await fetch(KV_REST_API_URL, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(`Upstash answers ${response.status}`)
  return ((await response.json()) as { readonly result: unknown }).result
}
