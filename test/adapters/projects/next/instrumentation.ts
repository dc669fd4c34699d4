/** Faults in the options are told at the start, not with the first request. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return
  const { auth } = await import('./lib/mcp_oauth')
  await auth.checkKeys()
}
