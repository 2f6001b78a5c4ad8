import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { workerCodecs } from '../../src/workflow/worker-codecs.ts'

const words = new TextEncoder().encode(Array.from({ length: 20_000 }, (_, i) => `word ${(i * i) % 977} `).join(''))
const NAMES = ['zstd', 'gzip', 'brotli'] as const

test('the codecs of the runtime are these', () => {
  expect(Object.keys(workerCodecs)).toEqual([...NAMES])
})

describe.each(NAMES)('%s', (name) => {
  const { compress, decompress } = workerCodecs[name]!

  test('packs, and unpacks to the same bytes', async () => {
    for (const bytes of [words, words.subarray(0, 1), new Uint8Array()]) {
      const packed = await compress!(bytes)
      if (bytes === words) expect(packed.byteLength).toBeLessThan(words.byteLength / 2)
      expect(new Uint8Array(await decompress!(packed, bytes.byteLength))).toEqual(bytes)
    }
  })

  test('unpacks no more than twice what a page declares, and 128 KiB', async () => {
    const packed = await compress!(new Uint8Array(2 * 1000 + 128 * 1024))
    expect((await decompress!(packed, 1000)).byteLength).toBe(2 * 1000 + 128 * 1024)
    await expect((async () => decompress!(packed, 998))()).rejects.toThrow()
    await expect((async () => decompress!(Uint8Array.of(1, 2, 3), 998))()).rejects.toThrow()
  })
})

test('brotli packs at quality 5, gzip as it is by default', async () => {
  const quality = (value: number) => brotliCompressSync(words, { params: { [constants.BROTLI_PARAM_QUALITY]: value } })
  expect(quality(5)).not.toEqual(quality(4))
  expect(quality(5)).not.toEqual(quality(6))
  expect(await workerCodecs.brotli!.compress!(words)).toEqual(quality(5))
  expect(await workerCodecs.gzip!.compress!(words)).toEqual(gzipSync(words))
})

test('a zstd frame declares its size, and comes in one chunk', async () => {
  const frame = await workerCodecs.zstd!.compress!(words)
  // RFC 8878, 3.1.1.1: the size in 4 bytes, in a single segment or behind a byte about the window
  const flags = frame[4]!
  expect(flags >> 6).toBe(2)
  const view = new DataView(frame.buffer, frame.byteOffset)
  expect(view.getUint32((flags & 0b10_0000) === 0 ? 6 : 5, true)).toBe(words.byteLength)
})
