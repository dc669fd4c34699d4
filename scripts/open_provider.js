/** An upstream that signs in whoever comes, for programs that measure or write down what the server does. */
export const openProvider = {
  type: 'redirect',
  id: 'example',
  name: 'Example ID',
  authorizationUrl: async ({ state }) => `https://id.example/authorize?state=${state}`,
  async exchange(query) {
    const sub = new URLSearchParams(query).get('code')
    const token_endpoint = 'https://id.example/token'
    const [access_token, refresh_token] = [`upstream access ${sub}`, `upstream refresh ${sub}`]
    const tokens = { access_token, refresh_token, expires_in: 7200, scope: ['api'], token_endpoint }
    const user = { issuer: 'https://id.example', sub, email_verified: false }
    return { tokens, user: { ...user, name: `The user ${sub}`, email: undefined } }
  },
  refresh: () => Promise.reject(new Error('not asked here')),
  revoke: async () => {},
}
