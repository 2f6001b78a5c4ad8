import { describe, expect, test } from 'vitest'
import { printFigures, replaceBetweenMarkers } from '../src/interop/print-figures.ts'
import type { Reading } from '../src/interop/take-reading.ts'

describe('the figures of readers in a document', () => {
  test('replace what was between the markers, and nothing else', () => {
    const document = 'before\n<!-- interop -->\nold\n<!-- /interop -->\nafter\n'
    const replaced = replaceBetweenMarkers(document, '| new |')
    expect(replaced).toBe('before\n<!-- interop -->\n| new |\n<!-- /interop -->\nafter\n')
    expect(replaceBetweenMarkers(replaced, '| new |')).toBe(replaced)
    expect(replaceBetweenMarkers(document, '$& $1')).toContain('\n$& $1\n')
  })

  test.each([
    ['none', 'text'],
    ['no end', '<!-- interop -->'],
    ['no beginning', '<!-- /interop -->'],
    ['the end first', '<!-- /interop --><!-- interop -->'],
    ['an end before and behind', '<!-- /interop --><!-- interop --><!-- /interop -->'],
    ['two beginnings', '<!-- interop --><!-- interop --><!-- /interop -->'],
    ['two ends', '<!-- interop --><!-- /interop --><!-- /interop -->'],
  ])('are not written where the markers are wrong: %s', (_, document) => {
    expect(() => replaceBetweenMarkers(document, 'new')).toThrow('needs <!-- interop --> once')
  })

  test('are a line a reading, with a dash for what was not asked', () => {
    const table: Reading = {
      steps: new Map([
        ['open', { requests: 2, bytes: 1001 }],
        ['count', { requests: 0, bytes: 0 }],
      ]),
      fault: undefined,
    }
    const plain: Reading = { steps: new Map([['open', { requests: 1, bytes: 999 }]]), fault: undefined }
    const readings = [
      ['the table', table],
      ['one plain file', plain],
    ] as const
    expect(printFigures([{ name: 'some', readings }]).split('\n')).toEqual([
      '| reader | reads | open | count | sum | filtered | found | point |',
      '|---|---|--:|--:|--:|--:|--:|--:|',
      '| some | the table | 2 / 2 kB | 0 | — | — | — | — |',
      '| some | one plain file | 1 / 1 kB | — | — | — | — | — |',
    ])
  })
})
