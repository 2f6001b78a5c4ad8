import { defineConfig } from 'vitest/config'

// bounds for a machine under load, not expectations: a stack may take long to start beside other tests
export default defineConfig({
  test: {
    name: 'local-stack',
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
