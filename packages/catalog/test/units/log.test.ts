import { expect, test, vi } from 'vitest'
import { log } from '../../src/log.ts'

test('a log line is one line of JSON and stays far below the 256 KB at which the platform cuts it', () => {
  const written = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  log('error', 'something', { detail: 'x\n'.repeat(1_000_000), count: 3 })
  const line = written.mock.calls[0]![0] as string
  written.mockRestore()
  expect(line).not.toContain('\n')
  expect(line.length).toBeLessThan(10_000)
  expect(JSON.parse(line)).toMatchObject({ event: 'something', count: 3 })
})
