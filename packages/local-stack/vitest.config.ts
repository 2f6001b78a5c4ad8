import { defineConfig } from 'vitest/config'

// stacks are started by one file at a time: two cores are shared by everything
// and a start may take long while the machine is at other things
export default defineConfig({ test: { name: 'local-stack', testTimeout: 60_000, hookTimeout: 180_000 } })
