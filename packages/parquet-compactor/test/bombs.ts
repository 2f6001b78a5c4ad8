import { brotliDecompressSync, constants, createBrotliCompress, gzipSync } from 'node:zlib'
import { expect } from 'vitest'

const MIB = 2 ** 20

/** A block of LZ4 that repeats one byte: its length goes on in bytes of 255. */
export function lz4Of(length: number): Uint8Array {
  const repeats = length - 1 - 4 - 15 - 5
  const more = Array.from({ length: Math.floor(repeats / 255) }, () => 255)
  return Uint8Array.of(0x1f, 0, 1, 0, ...more, repeats % 255, 0x50, 0, 0, 0, 0, 0)
}

/** What 4 KB can unpack to at the most, or near it. */
export const bombs = {
  // 64 bytes for each three
  snappy: () => snappyBomb(2 ** 31 - 1),
  gzip: () => gzipSync(new Uint8Array(4 * MIB), { level: 9 }),
  // one block of the format may not regenerate more than 128 KiB, but its size may say so
  zstd: () => zstdBomb(),
  brotli: () => brotliBomb(),
  lz4_raw: () => lz4Of(MIB),
}

function snappyBomb(declared: number): Uint8Array {
  const bytes = [
    (declared & 127) | 128,
    ((declared >> 7) & 127) | 128,
    ((declared >> 14) & 127) | 128,
    ((declared >> 21) & 127) | 128,
    declared >> 28,
    0,
    0,
  ]
  while (bytes.length < 4094) bytes.push((63 << 2) | 2, 1, 0)
  return Uint8Array.from(bytes)
}

/** 1,000 blocks that repeat one byte 2 MiB - 1 times */
function zstdBomb(): Uint8Array {
  const size = 2 ** 21 - 1
  const bytes = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...new Uint8Array(Uint32Array.of(2 ** 31 - 1).buffer)]
  for (let block = 0; block < 1000; block++) {
    const header = (size << 3) | 2 | (block === 999 ? 1 : 0)
    bytes.push(header & 255, (header >> 8) & 255, (header >> 16) & 255, 0)
  }
  return Uint8Array.from(bytes)
}

/** Meta-blocks of 16 MiB, each flushed to a whole byte, so that the third can stand 124 times more: 2 GB. */
async function brotliBomb(): Promise<Uint8Array> {
  const stream = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
  const blocks: Buffer[] = []
  for (let block = 0; block < 4; block++) {
    stream.write(new Uint8Array(16 * MIB))
    await new Promise<void>((resolve) => stream.flush(() => resolve()))
    blocks.push(stream.read())
  }
  stream.destroy()
  const end = Uint8Array.of(3)
  expect(blocks[3]).toEqual(blocks[2])
  expect(brotliDecompressSync(Buffer.concat([...blocks.slice(0, 3), end])).length).toBe(48 * MIB)
  return Buffer.concat([...blocks.slice(0, 2), ...Array.from({ length: 126 }, () => blocks[2]!), end])
}
