/** Writes the reference into docs/api.md: npm run docs */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allRoutes } from '../src/routes/all-routes.ts'
import { withReference } from './api-page.ts'

const path = join(import.meta.dirname, '../../../docs/api.md')
const operations = allRoutes(() => {
  throw new Error('no call is made')
}).map(({ operation }) => operation)
writeFileSync(path, withReference(readFileSync(path, 'utf8'), operations))
