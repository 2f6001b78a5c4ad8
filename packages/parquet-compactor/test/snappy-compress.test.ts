import fc from 'fast-check'
import { snappyUncompress } from 'hyparquet'
import { expect, test } from 'vitest'
import { snappyCompress } from '../src/codecs/snappy-compress.ts'
import { ByteBuffer } from '../src/format/byte-buffer.ts'

const restored = (input: Uint8Array) => {
  const output = new Uint8Array(input.length)
  snappyUncompress(snappyCompress(input, new ByteBuffer()), output)
  return output
}

test('what is compressed comes out again', () => {
  const repeats = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 3000 }))
  fc.assert(
    fc.property(fc.array(repeats, { maxLength: 6 }), (parts) => {
      const input = Uint8Array.from(
        parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat()),
      )
      expect(Buffer.compare(restored(input), input)).toBe(0)
    }),
    { numRuns: 100 },
  )
})

test('what repeats becomes small, and what does not hardly grows', () => {
  expect(snappyCompress(new Uint8Array(200_000), new ByteBuffer()).length).toBeLessThan(11_000)
  let state = 1
  const noise = new Uint8Array(200_000)
  for (let i = 0; i < noise.length; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    noise[i] = state >>> 24
  }
  expect(snappyCompress(noise, new ByteBuffer()).length).toBeLessThan(201_000)
  expect(Buffer.compare(restored(noise), noise)).toBe(0)
})
