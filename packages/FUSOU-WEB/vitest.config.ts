import { readFileSync } from 'node:fs'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

const OPERATOR_TOKEN = 'operator-token-of-the-tests-0123456789'

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      main: './src/index.ts',
      miniflare: {
        compatibilityDate: '2026-11-01',
        compatibilityFlags: ['nodejs_compat'],
        modulesRules: [
          { type: 'Text', include: ['**/.env.production'] },
          { type: 'Data', include: ['**/*.parquet'] },
        ],
        r2Buckets: ['BUCKET'],
        kvNamespaces: ['MESSAGES'],
        queueProducers: { COMPACTION_QUEUE: { queueName: 'dev-kc-compaction-queue' } },
        serviceBindings: { WORKFLOW_SERVICE: { name: 'fusou-workflow', entrypoint: 'RateLimiter' } },
        bindings: {
          SUPABASE_URL: inject('supabaseUrl'),
          SUPABASE_SECRET_KEY: inject('supabase').secretKey,
          SUPABASE_JWT_SECRET: inject('supabase').jwtSecret,
          OPERATOR_TOKEN,
          GITHUB_OIDC_ISSUER: `${inject('supabaseUrl')}/github`,
          GITHUB_OIDC_REPOSITORY_ID: '4711',
          GITHUB_OIDC_WORKFLOW_REF: 'o/r/.github/workflows/trigger_daily_compaction.yml@refs/heads/main',
        },
        workers: [
          {
            name: 'fusou-workflow',
            modules: [
              {
                type: 'ESModule',
                path: 'index.mjs',
                contents: readFileSync(new URL('./test/support/consumer-worker.mjs', import.meta.url), 'utf8'),
              },
            ],
            compatibilityDate: '2026-11-01',
            kvNamespaces: ['MESSAGES'],
            queueConsumers: { 'dev-kc-compaction-queue': { maxBatchSize: 1, maxBatchTimeout: 0 } },
          },
        ],
      },
    })),
  ],
  test: {
    name: 'web',
    include: ['test/**/*.test.ts'],
    exclude: ['test/units/**'],
    globalSetup: './test/support/global-setup.ts',
    setupFiles: './test/support/load-worker.ts',
    testTimeout: 30_000,
    // all files share one catalog, and some pause it, limit it or count all that is in it: one file at a time
    fileParallelism: false,
    sequence: { groupOrder: 1 },
    // a test that expects nothing could not fail
    expect: { requireAssertions: true },
    // Every test has datasets and users of its own, so that all files can share one Worker.
    isolate: false,
    silent: 'passed-only',
  },
})
