import { readFooterTree } from '../test/support/edit-file.ts'
import { fieldsOf, numberOf, type ThriftStruct, type ThriftValue, valuesOf } from '../test/support/thrift-tree.ts'

/** A column at the root that is no group. */
interface FlatColumn {
  name: string
  physical: number
  isUnsigned: boolean
}

/**
 * Hold what a footer says of flat columns at the root to the rows of the file: bounds hold every value, none stands beside a NaN,
 * and nulls are counted.
 * @param rows     of the whole file, columns in order, values as they are without their logical types
 * @param isTold   whether what is said must hold for a row: those of a file that lies may lie outside
 * @param areExact whether counts of nulls must be right, and NaN have no bounds beside it
 * @throws where a reader that looks at the footer would lose a row
 */
export function checkStatistics(
  file: Uint8Array,
  rows: readonly unknown[][],
  isTold: (row: number) => boolean,
  areExact: boolean,
): void {
  const footer = readFooterTree(file)
  const columns = columnsOf(footer)
  let first = 0
  for (const group of valuesOf(footer.get(4)).map(fieldsOf)) {
    const end = first + numberOf(group.get(3))
    const chunks = valuesOf(group.get(1)).map((chunk) => fieldsOf(fieldsOf(chunk).get(3)))
    for (const [at, column] of columns.entries()) {
      if (!column) continue
      const own = chunks.find((chunk) => pathOf(chunk) === column.name)
      const statistics = own?.get(12)
      if (!statistics) continue
      const values = rows.slice(first, end).map((row) => row[at])
      const told = values.filter((_, i) => isTold(first + i))
      checkChunk(column, fieldsOf(statistics), values, told, areExact)
    }
    first = end
  }
}

function checkChunk(
  column: FlatColumn,
  statistics: ThriftStruct,
  values: readonly unknown[],
  told: readonly unknown[],
  areExact: boolean,
): void {
  const fail = (detail: string): never => {
    throw new Error(`the footer is wrong about ${column.name}: ${detail}`)
  }
  const nulls = values.filter((value) => value === null || value === undefined).length
  const count = numberIn(statistics.get(3))
  if (areExact && count !== undefined && count !== nulls) fail(`${count} nulls, not ${nulls}`)
  const [min, max] = [boundOf(column, statistics.get(6)), boundOf(column, statistics.get(5))]
  if (min === undefined || max === undefined) return
  for (const value of told) {
    if (value === null || value === undefined) continue
    if (Number.isNaN(value)) {
      if (areExact) fail('bounds beside a NaN')
      continue
    }
    if (typeof value !== typeof min) return
    if (compare(min, value) > 0 || compare(value, max) > 0) fail(`${value} is not within ${min} and ${max}`)
  }
}

function columnsOf(footer: ThriftStruct): (FlatColumn | undefined)[] {
  const elements = valuesOf(footer.get(2)).map(fieldsOf)
  const columns: (FlatColumn | undefined)[] = []
  let next = 1
  const pass = () => {
    for (let left = numberIn(elements[next++]!.get(5)) ?? 0; left > 0; left--) pass()
  }
  while (next < elements.length) {
    const element = elements[next]!
    const isFlat = element.has(1) && (numberIn(element.get(3)) ?? 0) < 2
    columns.push(isFlat ? flatColumn(element) : undefined)
    pass()
  }
  return columns
}

function flatColumn(element: ThriftStruct): FlatColumn {
  const converted = numberIn(element.get(6)) ?? -1
  const sign = structIn(structIn(element.get(10))?.get(10))?.get(2)
  return {
    name: text(element.get(4)),
    physical: numberOf(element.get(1)),
    // UINT_8 to UINT_64
    isUnsigned: (converted >= 11 && converted <= 14) || (sign?.type === 'boolean' && !sign.value),
  }
}

/** A field of another type than the format gives it is none, as Thrift has it. */
function numberIn(value: ThriftValue | undefined): number | undefined {
  return value && 'value' in value && typeof value.value === 'bigint' ? Number(value.value) : undefined
}

function structIn(value: ThriftValue | undefined): ThriftStruct | undefined {
  return value?.type === 'struct' ? value.fields : undefined
}

function text(value: ThriftValue | undefined): string {
  return value?.type === 'binary' ? Buffer.from(value.value).toString('latin1') : ''
}

function pathOf(chunk: ThriftStruct): string {
  return valuesOf(chunk.get(3)).map(text).join('\0')
}

/** @returns the bound as hyparquet has values of the type; undefined for types that are not looked at */
function boundOf({ physical, isUnsigned }: FlatColumn, bound: ThriftValue | undefined): unknown {
  if (bound?.type !== 'binary' || isUnsigned) return undefined
  const bytes = Buffer.from(bound.value)
  switch (physical) {
    case 0:
      return bytes[0] === 1
    case 1:
      return bytes.readInt32LE()
    case 2:
      return bytes.readBigInt64LE()
    case 4:
      return bytes.readFloatLE()
    case 5:
      return bytes.readDoubleLE()
    case 6:
      return bytes
    default:
      return undefined
  }
}

function compare(a: unknown, b: unknown): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}
