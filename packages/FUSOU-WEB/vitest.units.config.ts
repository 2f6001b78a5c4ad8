import { defineConfig } from 'vitest/config'

// what needs neither the runtime nor a database is tested without them, in milliseconds
export default defineConfig({
  test: {
    name: 'web-units',
    include: ['test/units/**/*.test.ts'],
    setupFiles: './test/units/platform.ts',
    expect: { requireAssertions: true },
    // workerd has Uint8Array.fromBase64 and toHex, this Node behind a flag
    execArgv: ['--js-base-64'],
  },
})
