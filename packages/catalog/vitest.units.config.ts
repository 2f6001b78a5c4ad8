import { defineConfig } from 'vitest/config'

// what needs no database is tested without one, in milliseconds
export default defineConfig({
  test: {
    name: 'catalog-units',
    include: ['test/units/**/*.test.ts'],
    testTimeout: 60_000,
    expect: { requireAssertions: true },
  },
})
