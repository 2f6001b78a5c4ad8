import { constants, createZstdCompress } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { workerCodecs } from '../src/workflow/worker-codecs.ts'

/** Small state, so that a failure shows the same bytes again. */
function noise(length: number, values: number): Uint8Array {
  let state = length + values
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 16) % values
  })
}

const SIZES = [1, 100, 16_383, 16_384, 20_000, 65_536, 100_000, 131_072, 131_073, 200_000, 1 << 20, 3 << 20]

describe.for(Object.entries(workerCodecs))('%s of the runtime', ([, codec]) => {
  test.for(SIZES)('packs and unpacks %i bytes, whether they pack well or not', async (length) => {
    for (const values of [1, 16, 256]) {
      const bytes = noise(length, values)
      const unpacked = await codec.decompress!(await codec.compress!(bytes), length)
      expect(unpacked.byteLength).toBe(length)
      expect(unpacked.findIndex((byte, at) => byte !== bytes[at])).toBe(-1)
    }
  })

  test('does not unpack much more than a page declares', async () => {
    const bomb = await codec.compress!(new Uint8Array(8 << 20))
    await expect((async () => codec.decompress!(bomb, 1000))()).rejects.toThrow()
  })
})

test.for(SIZES)('a zstd frame of %i bytes declares them', async (length) => {
  const frame = await workerCodecs.zstd!.compress!(noise(length, 16))
  // RFC 8878, 3.1.1.1: a window is told where there is more than one segment, then the size in 1, 2, 4 or 8 bytes
  const flags = frame[4]!
  const hasWindow = (flags & 0b10_0000) === 0
  const size = new DataView(frame.buffer, frame.byteOffset + (hasWindow ? 6 : 5))
  const declared = [hasWindow ? 0 : size.getUint8(0), size.getUint16(0, true) + 256, size.getUint32(0, true)]
  expect(declared[flags >> 6]).toBe(length)
})

/** The frame of the runtime's encoder at a level. */
function frameOfLevel(bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const options = {
    chunkSize: bytes.byteLength + (bytes.byteLength >>> 8) + 1024,
    pledgedSrcSize: bytes.byteLength,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  }
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    createZstdCompress(options)
      .on('data', (chunk: Uint8Array) => chunks.push(chunk))
      .on('error', reject)
      .on('end', async () => resolve(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes()))
      .end(bytes)
  })
}

test('zstd packs at its quickest level: a merge has 300 s of computing', async () => {
  const words = new TextEncoder().encode(Array.from({ length: 20_000 }, (_, i) => `word ${i % 977} `).join(''))
  const frame = await workerCodecs.zstd!.compress!(words)
  expect(new Uint8Array(frame)).toEqual(await frameOfLevel(words, 1))
  expect(new Uint8Array(frame)).not.toEqual(await frameOfLevel(words, 3))
})
