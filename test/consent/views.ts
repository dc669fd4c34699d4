/**
 * Views to begin from, and readers of what came out.
 */
import type { HttpResponse } from '../../src/http/message.ts'
import type { ConsentView } from '../../src/server/consent/consent_page.ts'

export const CONSENT: ConsentView = {
  language: 'en',
  serverName: 'Acme Notes',
  secure: false,
  client: { name: 'Claude Code', client_id: 'mcp_c_1', source: 'dynamic' },
  redirect_uri: 'https://claude.ai/api/mcp/auth_callback',
  scopes: [{ scope: 'notes:read', description: 'Read your notes' }],
  resource: 'https://mcp.example.com/mcp',
  resourceName: 'Acme',
  upstreamName: 'GitHub',
  user: undefined,
  form: { action: '/authorize/decision', ticket: 'ticket-1', csrf: 'csrf-1' },
}

/** The body as one line of markup. */
export function markupOf(response: HttpResponse): string {
  return String(response.body)
    .replace(/<style>[^]*?<\/style>/, '')
    .replace(/\s+/g, ' ')
}

/** What a person reads: the text between the tags of the body, the technical details left out. */
export function textOf(response: HttpResponse): string {
  return markupOf(response)
    .replace(/^.*<body>/, '')
    .replace(/<details>.*<\/details>/, '')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim()
}
