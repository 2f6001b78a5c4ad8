import { parquetMetadata } from 'hyparquet'
import { pick, type Random } from './random.ts'
import { encodeVarint, findThriftNumbers, type ThriftNumber } from './thrift-numbers.ts'

/** A sound file and where its parts are. */
export interface FuzzSeed {
  name: string
  bytes: Uint8Array
  /** first byte of the footer's thrift */
  footerStart: number
  footerNumbers: ThriftNumber[]
  pageNumbers: ThriftNumber[]
  /** where page bodies begin and end */
  bodies: [number, number][]
}

export function readSeed(name: string, bytes: Uint8Array): FuzzSeed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const footerStart = bytes.length - 8 - view.getUint32(bytes.length - 8, true)
  const pageNumbers: ThriftNumber[] = []
  const bodies: [number, number][] = []
  const metadata = parquetMetadata(new Uint8Array(bytes).buffer)
  for (const { columns } of metadata.row_groups) {
    for (const { meta_data } of columns) {
      const { dictionary_page_offset, data_page_offset, total_compressed_size } = meta_data!
      let at = Number(dictionary_page_offset || data_page_offset)
      for (const end = at + Number(total_compressed_size); at < end; ) {
        const header = findThriftNumbers(bytes, at)
        pageNumbers.push(...header.numbers)
        // the third number of a page header is its compressed size
        const size = Number(header.numbers[2]!.value)
        bodies.push([header.end, header.end + size])
        at = header.end + size
      }
    }
  }
  const { numbers } = findThriftNumbers(bytes, footerStart)
  return { name, bytes, footerStart, footerNumbers: numbers, pageNumbers, bodies }
}

const ODD_NUMBERS = [
  0n,
  1n,
  -1n,
  2n,
  127n,
  128n,
  65535n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
]

/** @returns a changed copy, and what was done to it */
export function mutate(
  seed: FuzzSeed,
  others: readonly FuzzSeed[],
  random: Random,
): { bytes: Uint8Array; way: string } {
  const { bytes, footerStart, footerNumbers, pageNumbers, bodies } = seed
  const kind = random(10)
  if (kind < 2) return { way: 'bytes anywhere', bytes: mutateBytes(bytes, 0, bytes.length, random) }
  if (kind === 2) return { way: 'bytes of the footer', bytes: mutateBytes(bytes, footerStart, bytes.length, random) }
  if (kind < 5) {
    const [from, to] = pick(bodies, random)
    return { way: 'bytes of a page', bytes: from < to ? mutateBytes(bytes, from, to, random) : bytes.slice(0, -1) }
  }
  if (kind === 5) return { way: 'number of the footer', bytes: changeNumbers(seed, footerNumbers, random) }
  if (kind < 8) return { way: 'number of a page header', bytes: changeNumbers(seed, pageNumbers, random) }
  if (kind === 8) return { way: 'cut', bytes: cut(bytes, footerStart, random) }
  return { way: 'spliced', bytes: splice(seed, pick(others, random), random) }
}

/** Set, flip, shift or fill up to four places. */
export function mutateBytes(bytes: Uint8Array, from: number, to: number, random: Random): Uint8Array {
  const changed = bytes.slice()
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = from + random(to - from)
    const kind = random(5)
    if (kind === 0) changed[at] = random(256)
    else if (kind === 1) changed[at]! ^= 1 << random(8)
    else if (kind === 2) changed[at]! += random(2) * 2 - 1
    else if (kind === 3) changed.copyWithin(at + 1, at, to - 1)
    else changed.fill(random(2) * 255, at, Math.min(to, at + random(8)))
  }
  return changed
}

/** Change one or two numbers; where the new one takes another length, what stands behind moves, and the footer's length is kept true. */
function changeNumbers(seed: FuzzSeed, numbers: ThriftNumber[], random: Random): Uint8Array {
  let { bytes, footerStart } = seed
  for (let changes = 1 + (random(4) === 0 ? 1 : 0); changes > 0; changes--) {
    const { offset, length, isZigzag, value } = pick(numbers, random)
    const kind = random(5)
    const next =
      kind === 0
        ? value + 1n
        : kind === 1
          ? value - 1n
          : kind === 2
            ? pick(ODD_NUMBERS, random)
            : kind === 3
              ? pick(numbers, random).value
              : value ^ (1n << BigInt(random(32)))
    const encoded = encodeVarint(next, isZigzag)
    // a shorter one is padded, as the encoding allows
    while (encoded.length < length) {
      encoded[encoded.length - 1]! |= 128
      encoded.push(0)
    }
    const shift = encoded.length - length
    const changed = new Uint8Array(bytes.length + shift)
    changed.set(bytes.subarray(0, offset))
    changed.set(encoded, offset)
    changed.set(bytes.subarray(offset + length), offset + encoded.length)
    if (offset < footerStart) footerStart += shift
    new DataView(changed.buffer).setUint32(changed.length - 8, changed.length - 8 - footerStart, true)
    bytes = changed
    // the other places have moved
    if (shift !== 0) break
  }
  return bytes
}

/** Take something out: the end, the beginning, or a part with the footer kept. */
function cut(bytes: Uint8Array, footerStart: number, random: Random): Uint8Array {
  const kind = random(4)
  if (kind === 0) return bytes.slice(0, random(bytes.length))
  if (kind === 1) return bytes.slice(random(bytes.length))
  const from = random(kind === 2 ? footerStart : bytes.length)
  return concat(bytes.subarray(0, from), bytes.subarray(Math.min(bytes.length, from + 1 + random(16))))
}

/** Put a part of one file into another: a page body into a page, a tail behind a head, or one footer behind other data. */
function splice(seed: FuzzSeed, other: FuzzSeed, random: Random): Uint8Array {
  const kind = random(3)
  if (kind === 0) {
    const [from, to] = pick(seed.bodies, random)
    const [otherFrom, otherTo] = pick(random(2) ? seed.bodies : other.bodies, random)
    const changed = seed.bytes.slice()
    const source = random(2) ? seed : other
    changed.set(source.bytes.subarray(otherFrom, Math.min(otherTo, otherFrom + to - from)), from)
    return changed
  }
  if (kind === 1) {
    return concat(seed.bytes.subarray(0, random(seed.bytes.length)), other.bytes.subarray(random(other.bytes.length)))
  }
  return concat(seed.bytes.subarray(0, seed.footerStart), other.bytes.subarray(other.footerStart))
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
