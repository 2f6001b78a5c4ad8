import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ProgressLine } from '../src/support/progress-line.ts'

function outputOf(isTTY: boolean, run: (line: ProgressLine, clock: { ms: number }) => void): string {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 40 }) as unknown as NodeJS.WriteStream & PassThrough
  const clock = { ms: 0 }
  run(new ProgressLine(out, () => clock.ms), clock)
  return String(out.read())
}

test('on a terminal one line is rewritten, and cut to its width', () => {
  const text = outputOf(true, (line) => {
    line.show('one')
    line.show('x'.repeat(100))
    line.say('done')
  })
  expect(text).toBe(`\r\x1b[Kone\r\x1b[K${'x'.repeat(39)}\r\x1b[Kdone\n`)
})

test('elsewhere there is a plain line every few seconds, and no control character', () => {
  const text = outputOf(false, (line, clock) => {
    for (clock.ms = 0; clock.ms < 7000; clock.ms += 500) line.show(`at ${clock.ms}`)
    line.say('done')
  })
  expect(text).toBe('… at 0\n… at 3000\n… at 6000\ndone\n')
})
