/** An integer in compact thrift: where its varint stands. */
export interface ThriftNumber {
  offset: number
  length: number
  /** zigzag for values, plain for lengths of texts and lists */
  isZigzag: boolean
  value: bigint
}

/**
 * Find every integer of a struct, the lengths of its texts and long lists included; made for sound input only.
 * @returns the numbers and the offset behind the struct
 */
export function findThriftNumbers(bytes: Uint8Array, start: number): { numbers: ThriftNumber[]; end: number } {
  const numbers: ThriftNumber[] = []
  let at = start
  const varint = (isZigzag: boolean): number => {
    const offset = at
    let raw = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      raw |= BigInt(byte & 127) << shift
      if (byte < 128) break
    }
    const value = isZigzag ? (raw >> 1n) ^ -(raw & 1n) : raw
    numbers.push({ offset, length: at - offset, isZigzag, value })
    return Number(value)
  }
  const walkValue = (type: number, inList: boolean): void => {
    if (type <= 2) at += inList ? 1 : 0
    else if (type === 3) at++
    else if (type <= 6) varint(true)
    else if (type === 7) at += 8
    else if (type === 8) {
      // not in one expression: `at +=` would read it before the length is
      const length = varint(false)
      at += length
    } else if (type === 9 || type === 10) {
      const header = bytes[at++]!
      const size = header >> 4 === 15 ? varint(false) : header >> 4
      for (let left = size; left > 0; left--) walkValue(header & 15, true)
    } else if (type === 12) walkStruct()
    else throw new Error(`thrift type ${type} at ${at}`)
  }
  const walkStruct = (): void => {
    for (;;) {
      const header = bytes[at++]!
      if (header === 0) return
      if (header >> 4 === 0) varint(true)
      walkValue(header & 15, false)
    }
  }
  walkStruct()
  return { numbers, end: at }
}

export function encodeVarint(number: bigint, isZigzag: boolean): number[] {
  let raw = BigInt.asUintN(64, isZigzag ? (number << 1n) ^ (number >> 63n) : number)
  const bytes: number[] = []
  for (; raw > 127n; raw >>= 7n) bytes.push(Number(raw & 127n) | 128)
  bytes.push(Number(raw))
  return bytes
}
