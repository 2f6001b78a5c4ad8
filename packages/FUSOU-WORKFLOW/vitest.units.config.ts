import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const platform = fileURLToPath(new URL('./test/units/platform.ts', import.meta.url))

// what needs neither the runtime nor a database is tested without them, in milliseconds
export default defineConfig({
  resolve: { alias: { 'cloudflare:workers': platform, 'cloudflare:workflows': platform } },
  test: { name: 'workflow-units', include: ['test/units/**/*.test.ts'], expect: { requireAssertions: true } },
})
