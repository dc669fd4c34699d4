/**
 * What real clients publish and register, field by field as they were seen.
 */

/** The documents at the client ids of MCP clients in use. */
export const DOCUMENTS: readonly Readonly<Record<string, unknown> & { client_id: string }>[] = [
  {
    client_id: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
    client_name: 'Claude',
    client_uri: 'https://claude.ai',
    redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
    grant_types: [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
    client_name: 'Claude Code',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://chatgpt.com/oauth/client.json',
    client_uri: 'https://chatgpt.com/',
    redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'ChatGPT',
    logo_uri: 'https://persistent.oaistatic.com/sonic/misc/openai-logo.png',
    token_endpoint_auth_signing_alg: 'RS256',
    jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
  },
  {
    client_id: 'https://chatgpt.com/oauth/kDmjx77UnKOM/client.json',
    client_uri: 'https://chatgpt.com/',
    redirect_uris: ['https://chatgpt.com/connector/oauth/kDmjx77UnKOM'],
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'ChatGPT',
    token_endpoint_auth_signing_alg: 'RS256',
    jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
  },
  {
    client_id: 'https://chatgpt.com/oauth/codex/client.json',
    client_name: 'Codex',
    redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://vscode.dev/oauth/client-metadata.json',
    client_name: 'Visual Studio Code',
    client_uri: 'https://vscode.dev/product',
    redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    grant_types: [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  },
  {
    client_id: 'https://zed.dev/oauth/client-metadata.json',
    client_name: 'Zed',
    redirect_uris: ['http://127.0.0.1/callback'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://opencode.ai/oauth/opencode/client.json',
    client_name: 'OpenCode',
    redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://github.com/copilot/cli/client-metadata.json',
    client_name: 'GitHub Copilot CLI',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1:33418/'],
    token_endpoint_auth_method: 'none',
  },
  {
    client_id: 'https://grok.com/oauth/mcp-client.json',
    client_name: 'Grok',
    redirect_uris: [
      'https://grok.com/connectors-oauth-exchange-code/',
      'https://console.x.ai/connectors-oauth-exchange-code/',
    ],
  },
]

const code = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }

/** The bodies of registration requests of MCP clients in use, by client. */
export const REGISTRATIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'Claude Code': {
    client_name: 'Claude Code (demo)',
    redirect_uris: ['http://localhost:49152/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  },
  'Claude Code desktop': {
    client_name: 'Claude Code',
    redirect_uris: ['claude://claude.ai/mcp-auth-callback/sdk'],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  Cursor: {
    client_name: 'Cursor',
    redirect_uris: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  'VS Code': {
    client_name: 'Visual Studio Code',
    client_uri: 'https://code.visualstudio.com',
    grant_types: [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    response_types: ['code'],
    redirect_uris: [
      'https://insiders.vscode.dev/redirect',
      'https://vscode.dev/redirect',
      'http://127.0.0.1/',
      'http://127.0.0.1:33418/',
    ],
    scope: 'notes:read',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  },
  Codex: {
    client_name: 'Codex',
    redirect_uris: ['http://127.0.0.1:50123/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  },
  'Copilot CLI': {
    client_name: 'GitHub Copilot CLI',
    redirect_uris: ['http://127.0.0.1:50124/'],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  'Gemini CLI': {
    client_name: 'Gemini CLI MCP Client',
    redirect_uris: ['http://localhost:7777/oauth/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
    scope: 'openid offline_access profile email mcp:tools mcp:admin',
  },
  'mcp-remote': {
    client_name: 'MCP CLI Client',
    redirect_uris: ['http://localhost:18912/oauth/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
    client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
    software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
    software_version: '0.15.1',
    application_type: 'native',
  },
  'MCP Inspector': {
    client_name: 'MCP Inspector',
    redirect_uris: ['http://127.0.0.1:6274/oauth/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
    client_uri: 'https://github.com/modelcontextprotocol/inspector',
    logo_uri: null,
    scope: null,
  },
  opencode: {
    client_name: 'OpenCode',
    client_uri: 'https://opencode.ai',
    redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  Goose: {
    client_name: 'goose',
    redirect_uris: ['http://127.0.0.1:54321/oauth_callback'],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  ChatGPT: {
    client_name: 'ChatGPT',
    redirect_uris: ['https://chatgpt.com/connector/oauth/kDmjx77UnKOM'],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  Raycast: {
    client_name: 'Raycast',
    redirect_uris: [
      'https://raycast.com/redirect?packageName=Extension',
      'com.raycast:/oauth?package_name=Extension',
    ],
    ...code,
    token_endpoint_auth_method: 'none',
  },
  n8n: {
    client_name: 'n8n',
    redirect_uris: ['https://n8n.example.com/rest/oauth2-credential/callback'],
    ...code,
    token_endpoint_auth_method: 'client_secret_basic',
  },
  Perplexity: {
    client_name: 'Perplexity',
    redirect_uris: [
      'https://www.perplexity.ai/rest/connections/oauth_callback',
      'https://enterprise.perplexity.ai/rest/connections/oauth_callback',
    ],
    ...code,
    token_endpoint_auth_method: 'client_secret_post',
  },
}
