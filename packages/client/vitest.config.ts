import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'client',
    // a bound for a machine under load, not an expectation
    testTimeout: 60_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
