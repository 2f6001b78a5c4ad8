import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withReference } from '../../documents/api-page.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'

const PAGE = join(import.meta.dirname, '../../../../docs/api.md')
const operations = allRoutes(() => {
  throw new Error('no call is made')
}).map(({ operation }) => operation)

test('docs/api.md has the reference of the routes as they are: npm run docs writes it', () => {
  const page = readFileSync(PAGE, 'utf8')
  expect(withReference(page, operations)).toBe(page)
  for (const { method, path } of operations) expect(page).toContain(`### ${method.toUpperCase()} ${path}\n`)
})

test('a page without a place for the reference is refused', () => {
  expect(() => withReference('# API', operations)).toThrow('the page needs the lines')
})
