import { describe, expect, test } from 'vitest'
import { inTextFormat } from '../../src/metrics/text-format.ts'

describe('metrics in the text format', () => {
  test('are families of lines, with labels where there are any', () => {
    const text = inTextFormat([
      { name: 'a', type: 'gauge', help: 'An a.', samples: [{ value: 1.5 }] },
      {
        name: 'b_seconds',
        type: 'histogram',
        help: 'A b.',
        samples: [
          { suffix: '_bucket', labels: { kind: 'k', le: '+Inf' }, value: 2 },
          { suffix: '_sum', labels: { kind: 'k' }, value: 0 },
        ],
      },
      { name: 'c', type: 'counter', help: 'None.', samples: [] },
    ])
    expect(text).toBe(
      [
        '# HELP a An a.',
        '# TYPE a gauge',
        'a 1.5',
        '# HELP b_seconds A b.',
        '# TYPE b_seconds histogram',
        'b_seconds_bucket{kind="k",le="+Inf"} 2',
        'b_seconds_sum{kind="k"} 0',
        '# HELP c None.',
        '# TYPE c counter',
        '',
      ].join('\n'),
    )
  })

  test('escape what would end a line or a label', () => {
    const family = {
      name: 'a',
      type: 'gauge',
      help: 'x\\y\nz"',
      samples: [{ labels: { l: 'x\\y\nz"' }, value: 0 }],
    } as const
    expect(inTextFormat([family])).toBe('# HELP a x\\\\y\\nz"\n# TYPE a gauge\na{l="x\\\\y\\nz\\""} 0\n')
  })
})
