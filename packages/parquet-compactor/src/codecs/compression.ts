/// <reference path="./hyparquet-compressors.d.ts" />
import { decompress as decompressZstd } from 'fzstd'
import { snappyUncompress } from 'hyparquet'
// not the package's index: that compiles WebAssembly as it loads, which a Worker may not do inside a request
import { gunzip } from 'hyparquet-compressors/src/gzip.js'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import { checksum } from '../format/checksum.ts'
import { CODEC, uint32At } from '../format/format.ts'
import { corrupt } from '../format/page-header.ts'
import { plainBytes } from '../format/plain-bytes.ts'
import { ParquetError } from '../parquet-error.ts'
import { decodeBrotli } from './brotli.ts'
import type { CodecName, Codecs } from './codec.ts'
import { decodeLz4, decodeLz4Block } from './lz4.ts'
import { snappyCompress } from './snappy-compress.ts'
import { checkZstdFrame } from './zstd-frame.ts'

export const CODEC_NAMES: Record<number, CodecName | undefined> = {
  [CODEC.UNCOMPRESSED]: 'none',
  [CODEC.SNAPPY]: 'snappy',
  [CODEC.GZIP]: 'gzip',
  [CODEC.BROTLI]: 'brotli',
  [CODEC.LZ4]: 'lz4',
  [CODEC.ZSTD]: 'zstd',
  [CODEC.LZ4_RAW]: 'lz4_raw',
}

export const CODEC_NUMBERS: Record<CodecName, number> = {
  none: CODEC.UNCOMPRESSED,
  snappy: CODEC.SNAPPY,
  gzip: CODEC.GZIP,
  brotli: CODEC.BROTLI,
  lz4: CODEC.LZ4,
  zstd: CODEC.ZSTD,
  lz4_raw: CODEC.LZ4_RAW,
}

/**
 * Decompress a page; a promise only where the caller's codec returns one. Declared sizes are checked by the caller before; a codec never gets room for more than that.
 * @param scratch where the page may be put if it is used before the next page is decompressed
 * @throws ParquetError `corrupt_data`, `over_limit`
 */
export function decompress(
  codec: number,
  bytes: Uint8Array,
  length: number,
  codecs: Codecs,
  scratch?: ByteBuffer,
): Uint8Array | Promise<Uint8Array> {
  codecs.work?.unpack(length)
  if (codec === CODEC.UNCOMPRESSED) {
    if (bytes.byteLength !== length) corrupt(`an uncompressed page of ${bytes.byteLength} bytes declares ${length}`)
    return bytes
  }
  // some writers store nothing at all for an empty page
  if (length === 0 && bytes.byteLength === 0) return new Uint8Array()
  const name = CODEC_NAMES[codec]
  if (!name) throw new ParquetError('unsupported_column', `codec ${codec}`)
  const fail = (cause: unknown): never => {
    if (cause instanceof ParquetError) throw cause
    throw new ParquetError('corrupt_data', `${name} page: ${(cause as Error).message}`, { cause })
  }
  const check = (page: Uint8Array): Uint8Array => {
    if (page.byteLength !== length) corrupt(`a ${name} page of ${length} bytes decompressed to ${page.byteLength}`)
    return page
  }
  try {
    const page = codecs[name]?.decompress?.(bytes, length) ?? decompressBuiltIn(name, bytes, length, scratch)
    return page instanceof Promise ? page.then(check).catch(fail) : check(page)
  } catch (cause) {
    return fail(cause)
  }
}

function decompressBuiltIn(name: CodecName, bytes: Uint8Array, length: number, scratch?: ByteBuffer): Uint8Array {
  switch (name) {
    case 'snappy': {
      checkSnappyLength(bytes, length)
      const page = room(length, scratch)
      snappyUncompress(bytes, page)
      return page
    }
    case 'gzip': {
      const page = gunzip(bytes, room(length, scratch))
      checkGzipTrailer(bytes, page)
      return page
    }
    case 'zstd':
      return checkZstdFrame(bytes, length) ? decodeZstdInPlace(bytes, room(length, scratch)) : decompressZstd(bytes)
    case 'brotli':
      return decodeBrotli(bytes, length)
    case 'lz4':
      return decodeLz4(bytes, length)
    default:
      return decodeLz4Block(bytes, length)
  }
}

/** The decoder does not tell when a frame ends early, but then it leaves the end of the page as it was. */
function decodeZstdInPlace(bytes: Uint8Array, page: Uint8Array): Uint8Array {
  if (page.length === 0) return decompressZstd(bytes)
  const end = page.subarray(-16)
  for (const untouched of [0xa5, 0x5a]) {
    end.fill(untouched)
    decompressZstd(bytes, page)
    if (end.some((byte) => byte !== untouched)) return page
  }
  return corrupt('zstd frame ends early')
}

function room(length: number, scratch: ByteBuffer | undefined): Uint8Array {
  if (!scratch) return new Uint8Array(length)
  scratch.clear()
  scratch.reserve(length)
  return scratch.bytes.subarray(0, length)
}

/**
 * The decoder passes over the length that a page opens with.
 * @throws ParquetError `corrupt_data`
 */
export function checkSnappyLength(bytes: Uint8Array, length: number): void {
  let declared = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? corrupt('snappy page ends early')
    declared += (byte & 127) * 2 ** (7 * i)
    if (byte < 128) break
  }
  if (declared !== length) corrupt(`a snappy page of ${length} bytes declares ${declared}`)
}

/** The decoder neither checks the sum nor notices output that ends early; the trailer of the last member shows both. */
function checkGzipTrailer(bytes: Uint8Array, page: Uint8Array): void {
  if (bytes[0] !== 31 || bytes[1] !== 139) corrupt('gzip page without a gzip header')
  const memberBytes = uint32At(bytes, bytes.byteLength - 4)
  if (memberBytes > page.byteLength) corrupt('gzip member longer than its page')
  const sum = checksum(page, page.byteLength - memberBytes, page.byteLength)
  if (sum !== uint32At(bytes, bytes.byteLength - 8)) corrupt('gzip checksum does not match')
}

export function canCompress(name: CodecName, codecs: Codecs): boolean {
  return name === 'none' || name === 'snappy' || name === 'gzip' || codecs[name]?.compress !== undefined
}

/** @returns the compressed page, which may be `bytes` or a view of `scratch` */
export async function compress(
  name: CodecName,
  bytes: Uint8Array<ArrayBuffer>,
  codecs: Codecs,
  scratch: ByteBuffer,
): Promise<Uint8Array> {
  const custom = codecs[name]?.compress
  if (custom) return plainBytes(await custom(bytes))
  if (name === 'none') return bytes
  if (name === 'snappy') return snappyCompress(bytes, scratch)
  if (name === 'gzip') {
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
    return new Uint8Array(await new Response(stream).arrayBuffer())
  }
  throw new ParquetError('bad_option', `codec ${name} cannot be written without a compress function`)
}
