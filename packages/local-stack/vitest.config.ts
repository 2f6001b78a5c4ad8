import { configDefaults, defineConfig } from 'vitest/config'

/** Minutes of outages and load; `npm run test:long` makes them. */
const tooLong = process.env.FUSOU_TESTS === 'long' ? [] : ['test/restored-catalog.test.ts', 'test/load-run.test.ts']

// bounds for a machine under load, not expectations: a stack may take long to start beside other tests
export default defineConfig({
  test: {
    name: 'local-stack',
    exclude: [...configDefaults.exclude, ...tooLong],
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
