import { THRIFT, type ThriftReader } from '../format/thrift-reader.ts'
import type { LeafColumn } from '../schema/schema.ts'

/** SizeStatistics of the format: each part is left out where it is not known. */
export interface SizeStatistics {
  /** content bytes of all BYTE_ARRAY values, without lengths or encoding */
  unencodedBytes?: number | undefined
  /** how many levels are 0, 1, …, the highest */
  repetition?: number[] | undefined
  definition?: number[] | undefined
}

/** Read a SizeStatistics struct that begins at `reader`. */
export function readSizes(reader: ThriftReader): SizeStatistics {
  const sizes: SizeStatistics = {}
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) sizes.unencodedBytes = reader.i64()
    else if (id === 2) sizes.repetition = readCounts(reader)
    else if (id === 3) sizes.definition = readCounts(reader)
    else reader.skip()
  }
  return sizes
}

export function readCounts(reader: ThriftReader): number[] {
  const counts: number[] = []
  for (let left = reader.list(THRIFT.I64); left > 0; left--) counts.push(reader.elementI64())
  return counts
}

/** Each part of it that all have. */
export function sumSizes(leaf: LeafColumn, all: readonly (SizeStatistics | undefined)[]): SizeStatistics | undefined {
  const sumCounts = (name: 'repetition' | 'definition', maxLevel: number) => {
    const sums = new Array<number>(maxLevel + 1).fill(0)
    for (const sizes of all) {
      const counts = sizes?.[name]
      if (counts?.length !== sums.length) return undefined
      for (const [level, count] of counts.entries()) sums[level]! += count
    }
    return sums
  }
  const isLengthKnown = all.every((sizes) => sizes?.unencodedBytes !== undefined)
  const sum = {
    unencodedBytes: isLengthKnown ? all.reduce((bytes, sizes) => bytes + sizes!.unencodedBytes!, 0) : undefined,
    repetition: sumCounts('repetition', leaf.maxRepetition),
    definition: sumCounts('definition', leaf.maxDefinition),
  }
  return Object.values(sum).some((known) => known !== undefined) ? sum : undefined
}
