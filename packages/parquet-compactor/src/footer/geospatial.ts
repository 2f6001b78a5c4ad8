import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'

/**
 * Join GeospatialStatistics: boxes become the box around them, lists of types their union. What one lacks, the result lacks.
 * @param encoded structs as files have them, not empty
 * @returns the struct, or undefined where nothing is left to tell
 */
export function mergeGeospatial(encoded: readonly Uint8Array[]): Uint8Array | undefined {
  let box: Map<number, number> | undefined
  let types: Set<number> | undefined
  for (const [index, bytes] of encoded.entries()) {
    const own = readGeospatial(new ThriftReader(bytes))
    box = index === 0 ? own.box : box && own.box && joinBoxes(box, own.box)
    // an empty list says that the types are not known
    const known = own.types && own.types.length > 0 ? own.types : undefined
    types = index === 0 ? known && new Set(known) : types && known && new Set([...types, ...known])
  }
  if (!box && !types) return undefined
  const writer = new ThriftWriter()
  writer.open()
  if (box) {
    writer.open(1)
    for (const [id, value] of [...box].sort(([a], [b]) => a - b)) writer.double(id, value)
    writer.close()
  }
  if (types) {
    writer.list(2, THRIFT.I32, types.size)
    for (const type of [...types].sort((a, b) => a - b)) writer.elementI32(type)
  }
  writer.close()
  return writer.out.take()
}

/** `box` by field id: xmin 1, xmax 2, ymin 3, ymax 4, zmin 5, zmax 6, mmin 7, mmax 8 */
export function readGeospatial(reader: ThriftReader): {
  box: Map<number, number> | undefined
  types: number[] | undefined
} {
  let box: Map<number, number> | undefined
  let types: number[] | undefined
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) {
      box = new Map()
      reader.struct()
      for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
        if (field <= 8) box.set(field, reader.double())
        else reader.skip()
      }
    } else if (id === 2) {
      types = []
      for (let left = reader.list(THRIFT.I32); left > 0; left--) types.push(reader.elementI32())
    } else {
      reader.skip()
    }
  }
  return { box, types }
}

function joinBoxes(a: Map<number, number>, b: Map<number, number>): Map<number, number> | undefined {
  const joined = new Map<number, number>()
  for (let min = 1; min <= 7; min += 2) {
    const [lows, highs] = [min, min + 1].map((id) => [a.get(id), b.get(id)]) as [
      (number | undefined)[],
      (number | undefined)[],
    ]
    const [low, otherLow] = lows
    const [high, otherHigh] = highs
    if (low === undefined || otherLow === undefined || high === undefined || otherHigh === undefined) {
      // x and y are required; a dimension that one lacks is not bounded
      if (min <= 3) return undefined
      continue
    }
    // across the antimeridian, or not a number
    if (!(low <= high && otherLow <= otherHigh)) return undefined
    joined.set(min, Math.min(low, otherLow))
    joined.set(min + 1, Math.max(high, otherHigh))
  }
  return joined
}
