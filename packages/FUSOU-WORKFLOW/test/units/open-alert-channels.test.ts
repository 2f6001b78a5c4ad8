import { beforeEach, expect, test, vi } from 'vitest'
import type { Env } from '../../src/env.ts'
import { logOf } from './fakes.ts'

vi.mock('../../../../.env.production', () => ({ default: '' }))

const variables = {
  SUPABASE_URL: 'https://a.supabase.co',
  SUPABASE_SECRET_KEY: 'k',
  OPERATOR_TOKEN: 'o'.repeat(32),
}

beforeEach(() => vi.resetModules())

test.each([
  [{}, { slack: 'off', pagerduty: 'off', heartbeat: 'off' }, []],
  [
    { SLACK_WEBHOOK_URL: 'https://hooks.example/T', ALERT_HEARTBEAT_URL: 'https://hc.example/ping' },
    { slack: 'on', pagerduty: 'off', heartbeat: 'on' },
    ['slack'],
  ],
  [{ PAGERDUTY_ROUTING_KEY: 'R'.repeat(32) }, { slack: 'off', pagerduty: 'on', heartbeat: 'off' }, ['pagerduty']],
])('with %j an isolate says once which channels are on', async (set, states, names) => {
  const { openAlertChannels } = await import('../../src/open-alert-channels.ts')
  const env = { ...variables, ...set } as unknown as Env
  const lines = await logOf(() => {
    for (let calls = 0; calls < 2; calls++) expect([...openAlertChannels(env).keys()]).toEqual(names)
  })
  expect(lines).toEqual([['info', expect.objectContaining({ event: 'alert_channels', ...states })]])
})
