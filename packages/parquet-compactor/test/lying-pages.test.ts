import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { CODEC_NUMBERS, decompress } from '../src/codecs/compression.ts'
import { snappyCompress } from '../src/codecs/snappy-compress.ts'
import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { PHYSICAL } from '../src/format/format.ts'
import type { CodecName, MergeOptions } from '../src/index.ts'
import { memorySink, memorySource, mergeParquet, ParquetError } from '../src/index.ts'
import { bombs, lz4Of } from './bombs.ts'
import { type HandmadePage, handmade } from './handmade.ts'
import type { BombReport } from './measure-bomb.ts'

const MIB = 2 ** 20
const MEASURE = join(import.meta.dirname, 'measure-bomb.ts')

/** a beginning that nothing else repeats, so that a page that is shifted is another */
function content(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, i) => (i < 1000 ? (i * i) >> 3 : 0))
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
  ['nulls that no level names', { kind: 3, nulls: 1, body: new Uint8Array(4) }, {}],
] as [string, Omit<HandmadePage, 'values'>, Parameters<typeof handmade>[0]][])(
  '%s are refused',
  async (_, page, file) => {
    const refused = merge({ values: 1, ...page }, file, { pages: 'rewrite' })
    await expect(refused).rejects.toBeInstanceOf(ParquetError)
    if (page.encoding !== 3 && page.kind !== 3) {
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

describe.each(Object.keys(bombs) as (keyof typeof bombs)[])('4 KB of %s that unpack to much', (codec) => {
  test.each([
    ['say so', 2 ** 31 - 1],
    ['hide it', 4000],
  ])('and %s are passed untouched or refused, never unpacked', { timeout: 60_000 }, async (_, uncompressedBytes) => {
    const body = await bombs[codec]()
    expect(body.length).toBeGreaterThan(3000)
    expect(body.length).toBeLessThan(5000)
    const { stdout } = await promisify(execFile)(process.execPath, [
      MEASURE,
      codec,
      `${uncompressedBytes}`,
      Buffer.from(body).toString('base64'),
    ])
    const { grownBytes, outcomes } = JSON.parse(stdout) as BombReport
    // splice with three budgets, rewrite with two
    expect(outcomes).toHaveLength(5)
    for (const { pages, code, isUntouched } of outcomes) {
      if (code === undefined) expect({ pages, isUntouched }).toEqual({ pages: 'splice', isUntouched: true })
      else expect(['corrupt_data', 'page_too_large']).toContain(code)
    }
    expect(grownBytes).toBeLessThan(256 * MIB)
  })
})

test('the measure sees 256 MiB that are released at once', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MEASURE, 'none', `${256 * MIB}`])
  expect((JSON.parse(stdout) as BombReport).grownBytes).toBeGreaterThan(256 * MIB * 0.95)
})
