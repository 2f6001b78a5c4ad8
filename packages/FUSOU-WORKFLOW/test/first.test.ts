import { env } from 'cloudflare:test'
import { expect, test } from 'vitest'
import { openCatalog } from '../src/open-catalog.ts'
test('ping', async () => {
  expect(await openCatalog(env as never).ping()).toHaveProperty('now')
})
