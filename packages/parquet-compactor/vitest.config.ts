import { configDefaults, defineConfig } from 'vitest/config'

/** `npm run test:long` alone runs the benchmark. */
const tooLong = process.env.FUSOU_TESTS === 'long' ? [] : ['test/bench.test.ts']

export default defineConfig({
  test: {
    name: 'parquet-compactor',
    exclude: [...configDefaults.exclude, ...tooLong],
    testTimeout: 60_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
