import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  createBrotliCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { CODEC_NUMBERS, decompress } from '../src/codecs/compression.ts'
import { snappyCompress } from '../src/codecs/snappy-compress.ts'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { PHYSICAL } from '../src/format/format.ts'
import type { CodecName, MergeOptions } from '../src/index.ts'
import { memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { type HandmadePage, handmade } from './handmade.ts'

const MIB = 2 ** 20

/** a beginning that nothing else repeats, so that a page that is shifted is another */
function content(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => (i < 1000 ? (i * i) >> 3 : 0))
}

/** A block of LZ4 that repeats one byte: its length goes on in bytes of 255. */
function lz4Of(length: number): Uint8Array {
  const repeats = length - 1 - 4 - 15 - 5
  const more = Array.from({ length: Math.floor(repeats / 255) }, () => 255)
  return Uint8Array.of(0x1f, 0, 1, 0, ...more, repeats % 255, 0x50, 0, 0, 0, 0, 0)
}

const compressors: Record<Exclude<CodecName, 'none' | 'lz4'>, (length: number) => Uint8Array> = {
  snappy: (length) => snappyCompress(content(length), new ByteBuffer()).slice(),
  gzip: (length) => gzipSync(content(length)),
  brotli: (length) => brotliCompressSync(content(length)),
  zstd: (length) => zstdCompressSync(content(length)),
  lz4_raw: lz4Of,
}
const CODECS = Object.keys(compressors) as (keyof typeof compressors)[]

describe.each(CODECS)('%s', (codec) => {
  const decode = (bytes: Uint8Array, length: number) => decompress(CODEC_NUMBERS[codec], bytes, length, {})

  test.each([100, 5000, 300_000])('a page of %i bytes is decoded', async (length) => {
    expect(await decode(compressors[codec](length), length)).toEqual(
      codec === 'lz4_raw' ? new Uint8Array(length) : content(length),
    )
  })

  test.each([-1, 1, 60_000])('a page that holds %i bytes fewer than it declares is refused', async (fewer) => {
    const work = async () => decode(compressors[codec](90_000 - fewer), 90_000)
    await expect(work()).rejects.toMatchObject({ code: 'corrupt_data' })
  })

  test('a page without its end is refused', async () => {
    const bytes = compressors[codec](90_000)
    for (const cut of [1, 2, 5]) {
      const work = async () => decode(bytes.subarray(0, -cut), 90_000)
      await expect(work()).rejects.toMatchObject({ code: 'corrupt_data' })
    }
  })
})

test('hadoop puts lengths before blocks of LZ4', async () => {
  const block = lz4Of(500)
  const framed = new Uint8Array(2 * (8 + block.length))
  for (const at of [0, framed.length / 2]) {
    new DataView(framed.buffer).setUint32(at, 500)
    new DataView(framed.buffer).setUint32(at + 4, block.length)
    framed.set(block, at + 8)
  }
  expect(await decompress(CODEC_NUMBERS.lz4, framed, 1000, {})).toEqual(new Uint8Array(1000))
  expect(await decompress(CODEC_NUMBERS.lz4, block, 500, {})).toEqual(new Uint8Array(500))
  expect(() => decompress(CODEC_NUMBERS.lz4, framed, 1001, {})).toThrow('corrupt_data')
})

async function merge(page: HandmadePage, file: Parameters<typeof handmade>[0], options: MergeOptions = {}) {
  const rows = page.values
  const bytes = handmade({ rows, pages: [page], ...file })
  const sink = memorySink()
  const settings = { minPageBytes: 0, ...options }
  const report = await mergeParquet([memorySource('a', bytes), memorySource('b', bytes)], sink, settings)
  return { bytes: sink.bytes(), report, page }
}

test.each([
  [
    'booleans whose runs exceed their page',
    { encoding: 3, body: Uint8Array.of(9, 0, 0, 0, 2, 1) },
    { physical: PHYSICAL.BOOLEAN },
  ],
  ['differences of booleans', { encoding: 5, body: new Uint8Array(8) }, { physical: PHYSICAL.BOOLEAN }],
  ['prefixes of numbers', { encoding: 7, body: new Uint8Array(8) }, { physical: PHYSICAL.INT32 }],
  ['streams of texts', { encoding: 9, body: new Uint8Array(8) }, { physical: PHYSICAL.BYTE_ARRAY }],
] as [string, Omit<HandmadePage, 'values'>, Parameters<typeof handmade>[0]][])(
  '%s are refused',
  async (_, page, file) => {
    const refused = merge({ values: 1, ...page }, file, { pages: 'rewrite' })
    await expect(refused).rejects.toBeInstanceOf(ParquetError)
    if (page.encoding !== 3) {
      await expect(merge({ values: 1, ...page }, file)).rejects.toMatchObject({ code: 'unsupported_column' })
    }
  },
)

test('a dictionary that names more entries than it has room for is refused', async () => {
  const pages = [
    { kind: 2, values: 2 ** 30, body: new Uint8Array(8) },
    { values: 1, encoding: 8, body: Uint8Array.of(1, 2, 0) },
  ]
  const bytes = handmade({ rows: 1, pages })
  const merged = mergeParquet([memorySource('a', bytes), memorySource('b', bytes)], memorySink(), { minPageBytes: 0 })
  await expect(merged).rejects.toMatchObject({ code: 'corrupt_data' })
})

/** What 4 KB can unpack to at the most, or near it. */
const bombs: Record<string, () => Uint8Array | Promise<Uint8Array>> = {
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

describe.each(Object.keys(bombs) as CodecName[])('4 KB of %s that unpack to much', (codec) => {
  const peak = () => process.resourceUsage().maxRSS * 1024

  test.each([
    ['say so', 2 ** 31 - 1],
    ['hide it', 4000],
  ])('and %s are passed untouched or refused, never unpacked', { timeout: 60_000 }, async (_, uncompressedBytes) => {
    const body = await bombs[codec]!()
    expect(body.length).toBeLessThan(5000)
    // the machine's own measure: buffers that are let go of at once count too
    const before = peak()
    for (const pages of ['splice', 'rewrite'] as const) {
      for (const codecs of [{}, NODE_CODECS]) {
        // pages that must be unpacked may be where the caller allows 8 GB, and those of a codec that cannot be written must
        for (const memoryBudgetBytes of pages === 'splice' && codecs === NODE_CODECS
          ? [16 * MIB, 2 ** 33]
          : [16 * MIB]) {
          const page = { values: 1000, body, uncompressedBytes }
          const merged = await merge(page, { codec: CODEC_NUMBERS[codec] }, { pages, codecs, memoryBudgetBytes }).catch(
            (error: unknown) => error,
          )
          if (merged instanceof ParquetError) {
            expect(['corrupt_data', 'page_too_large']).toContain(merged.code)
          } else {
            expect(pages).toBe('splice')
            const output = Buffer.from((merged as { bytes: Uint8Array }).bytes)
            expect(output.indexOf(body)).toBeGreaterThan(0)
          }
        }
      }
    }
    expect(peak() - before).toBeLessThan(256 * MIB)
  })
})
