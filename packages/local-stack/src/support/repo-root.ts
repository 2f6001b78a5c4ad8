import { resolve } from 'node:path'

/** The folder of the root wrangler.toml: three up from this file. */
export const REPO_ROOT = resolve(import.meta.dirname, '../../../..')
