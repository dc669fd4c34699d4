import type { NextConfig } from 'next'

const { ORIGIN, BASE_PATH = '', SKIP_REDIRECT } = process.env

const below: NextConfig = {
  basePath: BASE_PATH,
  rewrites: async () => [
    {
      source: '/.well-known/:path*',
      destination: `${ORIGIN}${BASE_PATH}/.well-known/:path*`,
      basePath: false,
    },
  ],
}

const config: NextConfig = {
  trailingSlash: true,
  skipTrailingSlashRedirect: SKIP_REDIRECT === 'yes',
  headers: async () => [
    {
      source: '/((?!oauth/|\\.well-known/|mcp/?$).*)',
      headers: [{ key: 'Content-Security-Policy', value: `default-src 'self'` }],
    },
  ],
  ...(BASE_PATH === '' ? {} : below),
}

export default config
