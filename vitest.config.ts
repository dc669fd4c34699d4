import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/**/projects/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // What the provider in tests thinks of being a provider in tests.
    onConsoleLog: (text) => !/oidc-provider.* (WARNING|NOTICE):/.test(text),
  },
})
