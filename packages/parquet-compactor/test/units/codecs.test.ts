import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib'
import { snappyUncompress } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../fuzz/random.ts'
import { canCompress, compress, decompress } from '../../src/codecs/compression.ts'
import { decodeLz4, decodeLz4Block } from '../../src/codecs/lz4.ts'
import { snappyCompress } from '../../src/codecs/snappy-compress.ts'
import { checkZstdFrame, isOneZstdFrame, storeInZstdFrame } from '../../src/codecs/zstd-frame.ts'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { CODEC } from '../../src/format/format.ts'

describe('a block of LZ4', () => {
  const block =
    (...bytes: number[]) =>
    (length: number) => [...decodeLz4Block(Uint8Array.from(bytes), length)]

  test('has literals, then copies of what is behind, which may overlap with what they make', () => {
    // three literals, four bytes from three behind, then one literal
    expect(block(0x30, 1, 2, 3, 3, 0, 0x10, 9)(8)).toEqual([1, 2, 3, 1, 2, 3, 1, 9])
    expect(block(0x10, 7, 1, 0, 0x00)(5)).toEqual([7, 7, 7, 7, 7])
    // a copy that does not overlap
    expect(block(0x50, 1, 2, 3, 4, 5, 5, 0, 0x00)(9)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4])
    expect(block(0x40, 1, 2, 3, 4, 4, 0, 0x00)(8)).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
    expect(block()(0)).toEqual([])
  })

  test('has lengths that go on in bytes, of literals and of copies', () => {
    const literals = Array.from({ length: 15 + 255 + 3 }, (_, i) => i % 251)
    expect(block(0xf0, 255, 3, ...literals)(273)).toEqual(literals)
    expect(block(0xf0, 0, ...literals.slice(0, 15))(15)).toEqual(literals.slice(0, 15))
    expect(block(0x1f, 7, 1, 0, 255, 2, 0x00)(1 + 15 + 257 + 4)).toEqual(new Array(277).fill(7))
  })

  test('reaches back two bytes of distance', () => {
    const first = Array.from({ length: 300 }, (_, i) => i % 256)
    const long = block(0xf0, 255, 30, ...first, 0x2c, 0x01, 0x00)(304)
    expect(long.slice(300)).toEqual([0, 1, 2, 3])
  })

  test.each([
    ['ends within its literals', [0x30, 1, 2], 3, 'ends early'],
    ['ends within a length', [0xf0], 15, 'ends early'],
    ['ends within a length that goes on', [0xf0, 255], 300, 'ends early'],
    ['ends within a distance', [0x10, 1, 1], 5, 'ends early'],
    ['has more literals than the page', [0x30, 1, 2, 3], 2, 'more than 2 bytes'],
    ['has a copy beyond the page', [0x10, 7, 1, 0, 0x00], 4, 'more than 4 bytes'],
    ['reaches before its beginning', [0x10, 7, 2, 0, 0x00], 5, 'offset of 2 after 1 bytes'],
    ['has a distance of nothing', [0x10, 7, 0, 0, 0x00], 5, 'offset of 0 after 1 bytes'],
    ['is shorter than the page', [0x20, 1, 2], 3, 'of 2 bytes where 3 are declared'],
  ])('that %s is refused', (_, bytes, length, message) => {
    expect(() => block(...bytes)(length)).toThrow(message)
  })
})

describe('LZ4 of Hadoop', () => {
  const framed = (length: number, packed: number, ...block: number[]) => [0, 0, 0, length, 0, 0, 0, packed, ...block]
  const decode = (bytes: number[], length: number) => [
    ...decodeLz4(Uint8Array.from([99, ...bytes]).subarray(1), length),
  ]

  test('has lengths before each block', () => {
    expect(decode([...framed(2, 3, 0x20, 1, 2), ...framed(1, 2, 0x10, 3)], 3)).toEqual([1, 2, 3])
  })

  test('is a bare block where the lengths do not fit', () => {
    // a block of eight literals whose bytes could be lengths, but of another sum
    expect(decode([0x80, 0, 0, 2, 0, 0, 0, 0, 5], 8)).toEqual([0, 0, 2, 0, 0, 0, 0, 5])
    expect(decode([0x20, 1, 2], 2)).toEqual([1, 2])
    expect(() => decode(framed(2, 3, 0x20, 1, 2), 3)).toThrow('corrupt_data')
    expect(() => decode(framed(2, 4, 0x20, 1, 2), 2)).toThrow('corrupt_data')
  })
})

describe('snappy', () => {
  const roundTrip = (bytes: Uint8Array) => {
    const packed = snappyCompress(bytes, new ByteBuffer()).slice()
    const page = new Uint8Array(bytes.length)
    snappyUncompress(packed, page)
    expect(Buffer.compare(page, bytes)).toBe(0)
    return packed
  }
  const random = randomFrom(9, 9)
  const noise = (length: number) => Uint8Array.from({ length }, () => random(256))

  test.each([0, 1, 14, 15, 16, 59, 60, 61, 62, 255, 256, 257, 258, 65_535, 65_536, 65_537, 131_073])(
    '%i bytes of noise',
    (length) => {
      expect(roundTrip(noise(length)).length).toBeGreaterThanOrEqual(length)
    },
  )

  test('literals have the shortest header that holds their length', () => {
    expect([1, 60, 61, 256, 257, 65_536].map((length) => roundTrip(noise(length)).length - length)).toEqual([
      2, 2, 3, 4, 5, 6,
    ])
  })

  test.each([4, 11, 12, 63, 64, 65, 66, 67, 68, 69, 127, 128, 129, 132, 200, 1000])(
    'copies of %i bytes, near and far',
    (length) => {
      for (const distance of [length, 2047, 2048, 2049, 40_000]) {
        const word = noise(length)
        const bytes = new Uint8Array(distance + length + 20)
        bytes.set(noise(Math.max(0, distance)), 0)
        bytes.set(word, 0)
        bytes.set(word, distance)
        bytes.set(noise(20), distance + length)
        roundTrip(bytes)
      }
    },
  )

  test('what repeats takes a copy of 64 bytes at a time, short and near ones two bytes each', () => {
    // the length, one literal, then copies: 64 bytes of three, and what is left for the literal at the end
    expect(roundTrip(new Uint8Array(1 + 64 * 10))).toHaveLength(2 + 2 + 10 * 3)
    const [word, gap] = [noise(8), noise(30)]
    const near = roundTrip(Uint8Array.from([...word, ...gap, ...word, ...noise(20)]))
    // the first byte is never looked for
    expect(near).toHaveLength(1 + 1 + 39 + 2 + 1 + 20)
    const far = roundTrip(
      Uint8Array.from([...word, ...new Array(65).fill(0).flatMap(() => [...noise(32)]), ...word, ...noise(20)]),
    )
    expect(far.length).toBeLessThan(8 + 65 * 32 + 8 + 20 + 8)
  })

  test.each([
    [64, 3],
    [65, 5],
    [66, 5],
    [67, 5],
    [68, 5],
    [131, 8],
    [132, 8],
  ])('a copy of %i bytes is cut so that its last part takes the short form: %i bytes', (length, size) => {
    // the length of the page and one literal before it
    expect(roundTrip(new Uint8Array(1 + length)).length - 2 - (length < 127 ? 1 : 2)).toBe(size)
  })

  test('a match is found in the block where it stands, and not before it', () => {
    const bytes = new Uint8Array(65_536 + 40)
    bytes.set(noise(65_536))
    bytes.set(bytes.subarray(0, 40), 65_536)
    expect(roundTrip(bytes).length).toBeGreaterThan(65_536 + 40)
  })
})

describe('frames of zstd', () => {
  const [MAGIC, RAW_LAST] = [[0x28, 0xb5, 0x2f, 0xfd], (size: number) => [(size << 3) | 1, size >> 5, 0]]
  const frame = (flags: number, header: number[], ...blocks: number[]) =>
    Uint8Array.from([...MAGIC, flags, ...header, ...blocks])

  test.each([
    ['no size, with a window', frame(0x00, [0x58], ...RAW_LAST(2), 1, 2), false],
    ['a size of one byte', frame(0x20, [2], ...RAW_LAST(2), 1, 2), true],
    ['a size of one byte that is another', frame(0x20, [1], ...RAW_LAST(2), 1, 2), false],
    ['a size of four bytes', frame(0xa0, [2, 0, 0, 0], ...RAW_LAST(2), 1, 2), true],
    ['a size of eight bytes', frame(0xe0, [2, 0, 0, 0, 0, 0, 0, 0], ...RAW_LAST(2), 1, 2), true],
    ['a checksum', frame(0x24, [2], ...RAW_LAST(2), 1, 2, 9, 9, 9, 9), true],
  ])('with %s', (_, bytes, isOne) => {
    expect(isOneZstdFrame(bytes, 2)).toBe(isOne)
  })

  test('a size of two bytes counts from 256', () => {
    const bytes = frame(0x60, [0, 0], ((256 << 3) & 255) | 3, 256 >> 5, 0, 7)
    expect([isOneZstdFrame(bytes, 256), isOneZstdFrame(bytes, 257)]).toEqual([true, false])
  })

  test('several are not one, nor is one behind a frame that is skipped', () => {
    const one = frame(0x20, [2], ...RAW_LAST(2), 1, 2)
    expect(isOneZstdFrame(Buffer.concat([one, one]), 2)).toBe(false)
    const skippable = Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7)
    expect(isOneZstdFrame(Buffer.concat([skippable, one]), 2)).toBe(false)
    expect(decompress(CODEC.ZSTD, Buffer.concat([skippable, one]), 2, {})).toEqual(Uint8Array.of(1, 2))
    expect(() => isOneZstdFrame(Buffer.concat([one, skippable.subarray(0, -1)]), 2)).toThrow('zstd frame ends early')
    expect(isOneZstdFrame(new Uint8Array(), 0)).toBe(false)
  })

  test.each([
    ['is none', Uint8Array.of(1, 2, 3, 4, 5), 'no zstd frame'],
    ['ends within its magic number', Uint8Array.of(0x28, 0xb5), 'ends early'],
    ['ends within its size', frame(0xa0, [2, 0]), 'ends early'],
    ['ends within a block', frame(0x20, [2], ...RAW_LAST(2), 1), 'ends early'],
    ['ends within its checksum', frame(0x24, [2], ...RAW_LAST(2), 1, 2, 9, 9, 9), 'ends early'],
    ['has no last block', frame(0x20, [2], 0x10, 0, 0, 1, 2), 'ends early'],
    ['wants a dictionary', frame(0x21, [7, 2], ...RAW_LAST(2), 1, 2), 'with a dictionary'],
    ['has a block of a kind that is none', frame(0x20, [2], 0x17, 0, 0, 1, 2), 'wrong kind or size'],
    ['declares more than its page', frame(0x20, [3], ...RAW_LAST(2), 1, 2), 'of 3 bytes in a page of 2'],
  ])('one that %s is refused', (_, bytes, message) => {
    expect(() => isOneZstdFrame(bytes, 2)).toThrow(message)
  })

  test('a block has 128 KiB at the most', () => {
    const size = 128 * 1024
    const head = (bytes: number) => [((bytes << 3) | 3) & 255, (bytes >> 5) & 255, bytes >> 13]
    expect(isOneZstdFrame(frame(0xa0, [0, 0, 2, 0], ...head(size), 7), size)).toBe(true)
    expect(() => isOneZstdFrame(frame(0xa0, [1, 0, 2, 0], ...head(size + 1), 7), size + 1)).toThrow(
      'wrong kind or size',
    )
  })

  test('before the decoder takes them: what is declared must be so, windows and blocks are bounded', () => {
    const window = (exponent: number, mantissa = 0) => frame(0, [(exponent << 3) | mantissa], ...RAW_LAST(2), 1, 2)
    expect(checkZstdFrame(frame(0x20, [2], ...RAW_LAST(2), 1, 2), 2)).toBe(true)
    expect(() => checkZstdFrame(frame(0x20, [1], ...RAW_LAST(2), 1, 2), 2)).toThrow('frame of 1 bytes in a page of 2')
    expect(checkZstdFrame(window(13), 2)).toBe(false)
    expect(() => checkZstdFrame(window(13, 1), 2)).toThrow('page_too_large: zstd window of 9437184 bytes')
    const blocks = (count: number) =>
      frame(0, [0], ...Array.from({ length: count - 1 }, () => [0x02, 0, 0, 7]).flat(), 0x03, 0, 0, 7)
    expect(checkZstdFrame(blocks(256), 2)).toBe(false)
    expect(() => checkZstdFrame(blocks(257), 2)).toThrow('page_too_large: 257 zstd blocks in a page of 2 bytes')
    expect(checkZstdFrame(blocks(257), 5 * 2 ** 20)).toBe(false)
  })

  test.each([0, 1, 131_072, 131_073, 300_000])('%i bytes are stored as they are, in blocks', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) >> 3)
    const stored = storeInZstdFrame(bytes)
    expect(isOneZstdFrame(stored, length)).toBe(true)
    expect(stored.length).toBe(9 + 3 * Math.max(1, Math.ceil(length / 131_072)) + length)
    expect(Buffer.compare((await decompress(CODEC.ZSTD, stored, length, {})) as Uint8Array, bytes)).toBe(0)
  })
})

describe('pages', () => {
  test('of no codec are what they are, of the length that they declare', async () => {
    const bytes = Uint8Array.of(1, 2, 3)
    expect(decompress(CODEC.UNCOMPRESSED, bytes, 3, {})).toBe(bytes)
    expect(() => decompress(CODEC.UNCOMPRESSED, bytes, 2, {})).toThrow('an uncompressed page of 3 bytes declares 2')
    expect(() => decompress(CODEC.UNCOMPRESSED, bytes, 4, {})).toThrow('an uncompressed page of 3 bytes declares 4')
  })

  test('of a codec that nobody knows are refused, empty ones are empty', () => {
    expect(() => decompress(CODEC.LZO, Uint8Array.of(1), 1, {})).toThrow('unsupported_column: codec 3')
    expect(decompress(CODEC.SNAPPY, new Uint8Array(), 0, {})).toHaveLength(0)
    expect(() => decompress(CODEC.SNAPPY, new Uint8Array(), 1, {})).toThrow('snappy page ends early')
  })

  test("of the caller's codec are held to their length, whether it answers at once or later", async () => {
    const three = Uint8Array.of(1, 2, 3)
    const now = { gzip: { decompress: () => three } }
    const later = { gzip: { decompress: async () => three } }
    expect(decompress(CODEC.GZIP, three, 3, now)).toBe(three)
    expect(await decompress(CODEC.GZIP, three, 3, later)).toBe(three)
    const wrong = 'corrupt_data: a gzip page of 4 bytes decompressed to 3'
    expect(() => decompress(CODEC.GZIP, three, 4, now)).toThrow(wrong)
    await expect(async () => decompress(CODEC.GZIP, three, 4, later)).rejects.toThrow(wrong)
    const throws = {
      gzip: {
        decompress: () => {
          throw new Error('no room')
        },
      },
    }
    expect(() => decompress(CODEC.GZIP, three, 3, throws)).toThrow('corrupt_data: gzip page: no room')
    const rejects = {
      gzip: {
        decompress: async () => {
          throw new Error('no room')
        },
      },
    }
    await expect(async () => decompress(CODEC.GZIP, three, 3, rejects)).rejects.toThrow(
      'corrupt_data: gzip page: no room',
    )
  })

  test('of gzip need their header, their checksum and their length', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 7)
    const packed = gzipSync(bytes)
    const broken = (at: number) => {
      const copy = new Uint8Array(packed)
      copy[(copy.length + at) % copy.length]! ^= 1
      return () => decompress(CODEC.GZIP, copy, 1000, {})
    }
    expect(decompress(CODEC.GZIP, packed, 1000, {})).toEqual(bytes)
    expect(broken(0)).toThrow('corrupt_data: gzip page')
    expect(broken(1)).toThrow('corrupt_data: gzip page')
    // bytes of deflate with the trailer of gzip and without its header
    const bare = Buffer.concat([deflateRawSync(bytes), packed.subarray(-8)])
    expect(() => decompress(CODEC.GZIP, bare, 1000, {})).toThrow('gzip page without a gzip header')
    expect(broken(-8)).toThrow('gzip checksum does not match')
    expect(broken(-5)).toThrow('gzip checksum does not match')
    expect(broken(-4)).toThrow('gzip member longer than its page')
    expect(broken(-3)).toThrow('gzip checksum does not match')
  })

  test('that are written are those that can be read, or left to the caller', async () => {
    const bytes = Uint8Array.from({ length: 500 }, (_, i) => i % 9)
    expect(await compress('none', bytes, {}, new ByteBuffer())).toBe(bytes)
    expect(gunzipSync(await compress('gzip', bytes, {}, new ByteBuffer()))).toEqual(Buffer.from(bytes))
    await expect(compress('zstd', bytes, {}, new ByteBuffer())).rejects.toThrow(
      'bad_option: codec zstd cannot be written',
    )
    const own = { zstd: { compress: () => Buffer.from([1]) }, snappy: { compress: async () => Uint8Array.of(2) } }
    expect([...(await compress('zstd', bytes, own, new ByteBuffer()))]).toEqual([1])
    expect([...(await compress('snappy', bytes, own, new ByteBuffer()))]).toEqual([2])
    const can = (['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd', 'lz4_raw'] as const).map((name) =>
      canCompress(name, own),
    )
    expect(can).toEqual([true, true, true, false, false, true, false])
    expect(canCompress('zstd', { zstd: { decompress: () => bytes } })).toBe(false)
  })
})
