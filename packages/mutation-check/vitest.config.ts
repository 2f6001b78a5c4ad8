import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'mutation-check', expect: { requireAssertions: true } } })
