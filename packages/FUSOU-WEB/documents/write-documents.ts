/** Writes the reference into docs/api.md, and the types of the client: npm run docs */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allRoutes } from '../src/routes/all-routes.ts'
import { withReference } from './api-page.ts'
import { clientTypes } from './client-types.ts'

const path = join(import.meta.dirname, '../../../docs/api.md')
const routes = allRoutes(() => {
  throw new Error('no call is made')
})
const operations = routes.map(({ operation }) => operation)
writeFileSync(path, withReference(readFileSync(path, 'utf8'), operations))
writeFileSync(join(import.meta.dirname, '../../client/src/api.ts'), await clientTypes(routes))
