import { exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'

test('a deployment that can work says so', async () => {
  const response = await exports.default.fetch('https://fusou.test/api/health')
  expect(await response.json()).toEqual({
    status: 'ok',
    checks: { configuration: 'ok', database: 'ok', storage: 'ok' },
  })
  expect(response.status).toBe(200)
})
