import type { NextConfig } from 'next'

const { BASE_PATH: basePath = '', SKIP_REDIRECT, ORIGIN } = process.env

const config: NextConfig = {
  trailingSlash: true,
  skipTrailingSlashRedirect: SKIP_REDIRECT === 'yes',
  // All but the routes of sign-in and the MCP endpoint, which bring their own.
  headers: async () => [
    {
      source: '/((?!oauth/|\\.well-known/|mcp).*)',
      headers: [{ key: 'Content-Security-Policy', value: `default-src 'self'` }],
    },
  ],
  ...(basePath !== '' && {
    basePath,
    // Metadata stands at the root of the site, outside of the basePath.
    rewrites: async () => [
      {
        source: '/.well-known/:path*',
        destination: `${ORIGIN}${basePath}/.well-known/:path*`,
        basePath: false as const,
      },
    ],
  }),
}

export default config
