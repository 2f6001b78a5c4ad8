import { expect, test } from 'vitest'
import { call } from './support/api.ts'

test('a deployment that can work says so', async () => {
  const response = await call('/api/health')
  expect(await response.json()).toEqual({
    status: 'ok',
    checks: { configuration: 'ok', database: 'ok', storage: 'ok' },
  })
  expect(response.status).toBe(200)
})
