import { configDefaults, defineConfig } from 'vitest/config'

/** Minutes of calls, and lists of 100,000 rows; `npm run test:long` makes them. */
const tooLong =
  process.env.FUSOU_TESTS === 'long'
    ? []
    : ['test/state-machine/state-machine.test.ts', 'test/races/list-costs.test.ts']

export default defineConfig({
  test: {
    name: 'catalog',
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/units/**', ...tooLong],
    globalSetup: 'test/servers/global-setup.ts',
    // bounds for a machine under load, not expectations
    testTimeout: 60_000,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
    hookTimeout: 60_000,
  },
})
