import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'catalog',
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/servers/global-setup.ts',
    // bounds for a machine under load, not expectations
    testTimeout: 60_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
    hookTimeout: 60_000,
  },
})
