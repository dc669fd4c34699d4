import type { NextConfig } from 'next'

const config: NextConfig = {
  // Clients from before June 2025 look for these at the root of the site.
  rewrites: async () =>
    ['/authorize', '/token', '/register'].map((source) => ({
      source,
      destination: `/oauth${source}`,
    })),
}

export default config
