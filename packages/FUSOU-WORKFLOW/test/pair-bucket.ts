import { AN_OPERATOR, writeInstallation } from '@fusou/catalog'
import { catalog, env } from './test-env.ts'

// Each test file has a bucket of its own, and all of them share one catalog: as if it had claimed each.
const { installation } = await catalog.jobStatus(AN_OPERATOR)
await writeInstallation(env.BUCKET, { id: installation!.id, stamp: 0 }, undefined)
