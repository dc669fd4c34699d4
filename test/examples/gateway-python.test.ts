/** The example of the gateway and a backend in Python, as somebody copies it. */
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { describeNotes, describeRestart, useExample } from './example.ts'
import { pythonSuite } from './python.ts'
import { freePort } from '../support/free_port.ts'

pythonSuite(describe, 'the example of the gateway and Python', () => {
  const example = useExample('gateway-python', async (_, upstream) => ({
    MCP_OAUTH_TO: `http://127.0.0.1:${await freePort()}/mcp`,
    MCP_OAUTH_UPSTREAM: upstream.issuer,
    MCP_OAUTH_UPSTREAM_CLIENT_ID: upstream.client_id,
    MCP_OAUTH_UPSTREAM_CLIENT_SECRET: upstream.client_secret,
  }))

  const known = describeNotes(example)

  it('tells a tool that fails and a method that there is not as MCP has them', async () => {
    const { ada } = known
    expect(await (await ada.callRaw('no_such_tool')).json()).toMatchObject({
      result: { isError: true },
    })
    const response = await fetch(example.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ada.tokens.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'no/such' }),
    })
    expect(await response.json()).toMatchObject({ id: 7, error: { code: -32601 } })
  })

  /** Past the gateway, as another program on the machine, or a page in a browser on it, would. */
  function past(headers: { [name: string]: string }, body: string, path = '/mcp'): Promise<number> {
    const { hostname, port } = new URL(example.settings['MCP_OAUTH_TO'] ?? '')
    return new Promise((done, fail) => {
      request({ hostname, port, path, method: 'POST', headers }, (response) => {
        response.resume()
        done(response.statusCode ?? 0)
      })
        .on('error', fail)
        .end(body)
    })
  }

  it.each([
    [404, 'of a page whose name was pointed at it', { host: 'rebound.example' }, '{}', '/mcp'],
    [404, 'to another path', {}, '{}', '/'],
    [403, 'without a user', {}, '{"id":1,"method":"ping"}', '/mcp'],
    [400, 'that is a list', { 'x-mcp-user': 'mallory' }, '[{"id":1}]', '/mcp'],
    [400, 'that says nothing', { 'x-mcp-user': 'mallory' }, '{}', '/mcp'],
    [400, 'that is no JSON', { 'x-mcp-user': 'mallory' }, '{', '/mcp'],
    [
      413,
      'that is too large',
      { 'x-mcp-user': 'mallory', 'content-length': '9999999' },
      '',
      '/mcp',
    ],
  ])('the backend answers %d to a call %s', async (status, _, headers, body, path) => {
    expect(await past(headers as { [name: string]: string }, body, path)).toBe(status)
  })

  it('writes no token to the log', async () => {
    const { access_token, refresh_token } = known.ada.tokens
    for (const secret of [access_token, refresh_token]) {
      expect(example.program.told()).not.toContain(secret)
    }
  })

  describeRestart(example, known)

  it('ends altogether when the backend cannot listen', async () => {
    const MCP_OAUTH_TO = `http://127.0.0.1:${example.upstream.port}/mcp`
    const start = example.project.run('npm', ['start'], {
      MCP_OAUTH_TO,
      PORT: `${await freePort()}`,
    })
    await expect(start).rejects.toThrow(/Address already in use/)
  })
})
