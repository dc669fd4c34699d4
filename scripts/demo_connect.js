/** How each MCP client is told of a server, as the very line to type. */

/** Client and line, in the order in which they are shown; `name` is what the client calls the server. */
export function connectLines(url, name, platform = process.platform) {
  const server = JSON.stringify({ name, type: 'http', url })
  const open = { darwin: 'open', win32: 'start ""' }[platform] ?? 'xdg-open'
  const quote = (text) => (platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text}'`)
  const config = encodeURIComponent(Buffer.from(JSON.stringify({ url })).toString('base64'))
  return [
    ['Claude Code', `claude mcp add --transport http ${name} ${url} && claude mcp login ${name}`],
    ['Codex', `codex mcp add ${name} --url ${url}`],
    ['VS Code', `code --add-mcp ${quote(server)}`],
    [
      'Cursor',
      `${open} ${quote(`cursor://anysphere.cursor-deeplink/mcp/install?name=${name}&config=${config}`)}`,
    ],
    [
      'MCP Inspector',
      `npx @modelcontextprotocol/inspector@latest --transport http --server-url ${url}`,
    ],
  ]
}

/** The same as text. */
export function showConnectLines(url, name) {
  const lines = connectLines(url, name).map(([client, line]) => `  ${client}\n    ${line}`)
  return `Ready: ${url} takes MCP clients. Connect one of them:\n\n${lines.join('\n')}`
}
