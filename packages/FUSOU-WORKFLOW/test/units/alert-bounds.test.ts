import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ALERT_RULES } from '../../src/alerts/alert-rules.ts'
import { ALERT_TIMEOUT_MS } from '../../src/alerts/post-alert.ts'
import { FAILING_RUNS, GOOD_RUNS, REPEAT_MS, SILENT_MS } from '../../src/watch/watch-state.ts'

test('docs/alerts.md has the bounds of the alerts as they are', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/alerts.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d.]+) \|/gm)].map(([, name, value]) => [name, Number(value)])
  expect(Object.fromEntries(rows)).toEqual({
    ...ALERT_RULES,
    FAILING_RUNS,
    GOOD_RUNS,
    SILENT_MS,
    REPEAT_MS,
    ALERT_TIMEOUT_MS,
  })
})
