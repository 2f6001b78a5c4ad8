import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withReference } from '../../documents/api-page.ts'
import { clientTypes } from '../../documents/client-types.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'

const PAGE = join(import.meta.dirname, '../../../../docs/api.md')
const routes = allRoutes(() => {
  throw new Error('no call is made')
})
const operations = routes.map(({ operation }) => operation)

test('docs/api.md has the reference of the routes as they are: npm run docs writes it', () => {
  const page = readFileSync(PAGE, 'utf8')
  expect(withReference(page, operations)).toBe(page)
  for (const { method, path } of operations) expect(page).toContain(`### ${method.toUpperCase()} ${path}\n`)
})

test('the client has the types of the routes as they are: npm run docs writes them', async () => {
  const types = readFileSync(join(import.meta.dirname, '../../../client/src/api.ts'), 'utf8')
  expect(types === (await clientTypes(routes))).toBe(true)
})

test('a page without a place for the reference is refused', () => {
  expect(() => withReference('# API', operations)).toThrow('the page needs the lines')
})
