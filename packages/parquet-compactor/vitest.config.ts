import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'parquet-compactor', testTimeout: 60_000 } })
