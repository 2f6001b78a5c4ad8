import { defineConfig } from 'vitest/config'

// a worker for each core: by default one core would stay idle, which of two is half the machine
export default defineConfig({ test: { projects: ['packages/*/vitest.config.ts'], maxWorkers: '100%' } })
