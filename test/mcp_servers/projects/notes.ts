/** The notes of whoever `token` is of, from the API that keeps them. */
export async function readNotes(token = ''): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(process.env['NOTES_URL'] ?? '', { headers })
  return await answer.text()
}
