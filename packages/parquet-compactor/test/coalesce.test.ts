import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { decompress as decompressWithFzstd } from 'fzstd'
import { describe, expect, test } from 'vitest'
import { randomFrom } from '../fuzz/random.ts'
import { decompress as decompressPage } from '../src/codecs/compression.ts'
import { storeInZstdFrame } from '../src/codecs/zstd-frame.ts'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { CODEC } from '../src/format/format.ts'
import { PageCompressor } from '../src/splice/page-compressor.ts'
import { SamplingSchedule } from '../src/splice/sampling-schedule.ts'
import { expectFaithfulMerge, metadataOf, writeWithDuckDB } from './engines.ts'

const COALESCE = { minPageBytes: 2 ** 24 }
const table = (select: string, parts: [number, number][], options: string) =>
  Promise.all(parts.map(([from, to]) => writeWithDuckDB(`select ${select} from range(${from}, ${to}) t(i)`, options)))
const bytesOf = (length: number, byteAt: (i: number) => number) => Uint8Array.from({ length }, (_, i) => byteAt(i))
const noise = (length: number) => bytesOf(length, (i) => Math.imul(i + 1, 0x9e3779b1) >>> 23)

describe('values that come through the kernel stay what they are', () => {
  test.each([1, 2, 3, 5, 17, 33, 65, 129, 300, 600, 1500, 5000, 20_000])(
    'as indices of a dictionary of %i',
    async (distinct) => {
      const rows = Math.max(3000, distinct * 3)
      const files = await table(
        `(hash(i) % ${distinct})::int as n, case when hash(i * 3) % 5 > 0 then hash(i // 7) % ${distinct} end as m`,
        [
          [0, rows],
          [rows, 2 * rows],
        ],
        'compression uncompressed, dictionary_size_limit 1000000',
      )
      const { report } = await expectFaithfulMerge(files, COALESCE)
      expect(report.columnChunks).toMatchObject({ coalesced: 4 })
    },
  )

  test('as texts of all lengths that differ in one letter', async () => {
    // 80 lengths, and in each the letter at one place of up to 80
    const select = `repeat('a', place::int) || 'b' || repeat('a', (length - place)::int) as v
      from (select (hash(i) % 80) as length, hash(i * 7) % (hash(i) % 80 + 1) as place from range(6000) t(i))`
    const files = [await writeWithDuckDB(`select ${select}`, 'compression uncompressed')]
    const { report, output } = await expectFaithfulMerge([...files, ...files], COALESCE)
    expect(report.columnChunks).toMatchObject({ coalesced: 2 })
    expect(metadataOf(output).row_groups[0]!.columns[0]!.meta_data!.encodings).toContain('RLE_DICTIONARY')
  })

  test('as texts that repeat at every distance, packed by snappy', async () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
    const select = `repeat(substr('${letters}', 1 + (hash(i) % 9)::int, 1 + (i % 27)::int), 1 + (hash(i * 3) % 40)::int)`
    const files = await table(
      `${select} as v, i as n`,
      [
        [0, 2000],
        [2000, 4000],
      ],
      'compression snappy, dictionary_size_limit 1',
    )
    await expectFaithfulMerge(files, COALESCE)
  })
})

describe('zstd', () => {
  const SIZES = [0, 1, 64, 300, 131_072, 131_073, 400_000]

  test.each(SIZES)('a frame that stores %i bytes is read by every decoder', (length) => {
    const bytes = noise(length)
    const frame = storeInZstdFrame(bytes)
    for (const read of [zstdDecompressSync(frame), decompressWithFzstd(frame)]) {
      expect(Buffer.compare(read, bytes)).toBe(0)
    }
    expect(Buffer.compare(NODE_CODECS.zstd!.decompress!(frame, length) as Uint8Array, bytes)).toBe(0)
  })

  test('pages of noise are taken over without a call, and stored again', async () => {
    const files = await table(
      'hash(i) as v',
      [
        [0, 4000],
        [4000, 8000],
      ],
      'compression zstd',
    )
    let calls = 0
    const codecs = {
      zstd: {
        compress: (bytes: Uint8Array) => zstdCompressSync(bytes),
        decompress: (bytes: Uint8Array) => {
          calls++
          return zstdDecompressSync(bytes)
        },
      },
    }
    const { report, output } = await expectFaithfulMerge(files, { ...COALESCE, codecs })
    expect(report.columnChunks).toMatchObject({ coalesced: 2 })
    expect(calls).toBe(0)
    await expectFaithfulMerge([output, output], { ...COALESCE, codecs })
    expect(calls).toBe(0)
  })

  test('what does not shrink is stored for a while, then tried again; a dictionary tells nothing of it', async () => {
    const tried: number[] = []
    const codecs = {
      zstd: {
        compress: (bytes: Uint8Array) => {
          tried.push(bytes.length)
          return zstdCompressSync(bytes)
        },
      },
    }
    const compressor = new PageCompressor('zstd', codecs, new ByteBuffer())
    const compress = async (bytes: Uint8Array<ArrayBuffer>, isDictionary = false) => {
      const packed = await compressor.compress(bytes, isDictionary)
      expect(Buffer.compare(zstdDecompressSync(packed), bytes)).toBe(0)
    }
    const next = randomFrom(1, 1)
    const random = bytesOf(5000, () => next(256))
    await compress(new Uint8Array(64))
    expect(tried).toEqual([])
    await compress(random, true)
    await compress(new Uint8Array(1000))
    expect(tried).toEqual([5000, 1000])
    for (let page = 0; page < 17; page++) await compress(random)
    expect(tried).toEqual([5000, 1000, 5000, 5000])
    await compress(new Uint8Array(2000), true)
    expect(tried.at(-1)).toBe(2000)
  })

  test('a frame is taken whole: not cut, not with more behind it', () => {
    const bytes = bytesOf(4200, (i) => i % 50)
    const frame = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
    const decompress = (packed: Uint8Array) => NODE_CODECS.zstd!.decompress!(packed, bytes.length) as Uint8Array
    expect(Buffer.compare(decompress(frame), bytes)).toBe(0)
    const half = zstdCompressSync(bytes.subarray(0, 2100))
    const rest = zstdCompressSync(bytes.subarray(2100))
    const wrong = new Uint8Array(frame)
    wrong[wrong.length - 1]! ^= 1
    for (const packed of [
      frame.subarray(0, -1),
      frame.subarray(0, -9),
      Buffer.concat([frame, Buffer.from('junk')]),
      Buffer.concat([frame, frame]),
      wrong,
    ]) {
      expect(() => decompress(packed)).toThrow()
    }
    // two frames that make a page are read by the built-in decoder; node:zlib ends after the first, and that is refused
    const two = Buffer.concat([half, rest])
    const unpack = (codecs: typeof NODE_CODECS) => decompressPage(CODEC.ZSTD, two, bytes.length, codecs) as Uint8Array
    expect(Buffer.compare(unpack({}), bytes)).toBe(0)
    expect(() => unpack(NODE_CODECS)).toThrow('corrupt_data: a zstd page of 4200 bytes decompressed to 2100')
  })
})

test('bloom filters of hundreds of tiny chunks are made of their values, though no file is held', async () => {
  const parts = Array.from({ length: 300 }, (_, i): [number, number] => [i * 20, i * 20 + 20])
  const files = await table(
    "'name ' || (i + i // 40) % 4 as v, (i // 40 * 3 + i % 5)::int as n",
    parts,
    'compression snappy',
  )
  const filtersOf = (file: Uint8Array) =>
    metadataOf(file).row_groups[0]!.columns.map(({ meta_data }) => meta_data!.bloom_filter_offset !== undefined)
  expect(filtersOf(files[0]!)).toContain(true)
  const { output, report } = await expectFaithfulMerge(files)
  expect(report.columnChunks).toMatchObject({ coalesced: 600 })
  expect(report.dropped).toEqual({})
  expect(filtersOf(output)).toEqual(filtersOf(files[0]!))
})

test('row groups whose plain values did not repeat are looked at less and less, and those that did each time', () => {
  const looks = (isRepeated: (rowGroup: number) => boolean) => {
    const schedule = new SamplingSchedule()
    return Array.from({ length: 40 }, (_, rowGroup) => rowGroup).filter((rowGroup) => {
      const isDue = schedule.isDue(0)
      if (isDue) schedule.note(0, isRepeated(rowGroup))
      return isDue
    })
  }
  expect(looks(() => false)).toEqual([0, 2, 5, 10, 19, 28, 37])
  expect(looks(() => true)).toHaveLength(40)
  expect(looks((rowGroup) => rowGroup === 10)).toEqual([0, 2, 5, 10, 11, 13, 16, 21, 30, 39])
  // one column tells nothing of another
  const schedule = new SamplingSchedule()
  schedule.note(0, false)
  expect([schedule.isDue(0), schedule.isDue(1)]).toEqual([false, true])
})
