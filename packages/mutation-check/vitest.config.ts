import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { name: 'mutation-check', testTimeout: 60_000, expect: { requireAssertions: true } },
})
