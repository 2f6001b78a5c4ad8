import { defineConfig } from 'vitest/config'

// stacks are started by one file at a time: two cores are shared by everything
export default defineConfig({ test: { name: 'local-stack', testTimeout: 60_000, hookTimeout: 60_000 } })
