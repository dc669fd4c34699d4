/** How each MCP client is told of the demo, as the very line to type. */

const NAME = 'mcp-oauth-demo'

/** Client and line, in the order in which they are shown. */
export function connectLines(url, platform = process.platform) {
  const server = JSON.stringify({ name: NAME, type: 'http', url })
  const open = { darwin: 'open', win32: 'start ""' }[platform] ?? 'xdg-open'
  const quote = (text) => (platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text}'`)
  const config = encodeURIComponent(Buffer.from(JSON.stringify({ url })).toString('base64'))
  return [
    ['Claude Code', `claude mcp add --transport http ${NAME} ${url} && claude mcp login ${NAME}`],
    ['Codex', `codex mcp add ${NAME} --url ${url}`],
    ['VS Code', `code --add-mcp ${quote(server)}`],
    [
      'Cursor',
      `${open} ${quote(`cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${config}`)}`,
    ],
    [
      'MCP Inspector',
      `npx @modelcontextprotocol/inspector@latest --transport http --server-url ${url}`,
    ],
  ]
}
