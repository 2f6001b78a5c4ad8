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
        },
      }
    }),
  ],
  test: { name: 'workflow', globalSetup: '@fusou/embedded-supabase/vitest-global-setup' },
})
