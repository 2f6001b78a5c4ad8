import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'parquet-compactor',
    testTimeout: 60_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
