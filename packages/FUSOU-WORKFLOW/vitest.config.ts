import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => {
      const supabase = inject('supabase')
      return {
        main: './src/index.ts',
        wrangler: { configPath: './wrangler.toml' },
        miniflare: {
          bindings: {
            SUPABASE_URL: supabase.url,
            SUPABASE_SECRET_KEY: supabase.secretKey,
            OPERATOR_TOKEN: 'only-for-tests-only-for-tests-only-for-tests',
          },
          // as in wrangler.toml, but nobody waits for a batch to fill
          queueConsumers: {
            'dev-kc-compaction-queue': {
              maxBatchSize: 10,
              maxBatchTimeout: 0,
              maxRetries: 3,
              deadLetterQueue: 'dev-kc-compaction-dlq',
            },
            'dev-kc-compaction-dlq': { maxBatchSize: 5, maxBatchTimeout: 0, maxRetries: 1 },
          },
        },
      }
    }),
  ],
  test: {
    name: 'workflow',
    include: ['test/**/*.test.ts'],
    exclude: ['test/units/**'],
    globalSetup: './test/global-setup.ts',
    setupFiles: './test/pair-bucket.ts',
    testTimeout: 60_000,
    // all files share one catalog, and some pause it, limit it or count all that is in it: one file at a time
    fileParallelism: false,
    sequence: { groupOrder: 1 },
    // Every test has datasets and users of its own, so that all files can share one Worker.
    isolate: false,
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
  },
})
