import type { FieldType, PartFacts, SchemaField } from '@fusou/parquet-compactor'
import { boundJson, type ColumnValue, decodeValue } from './column-value.ts'

/** What is known of one column of one file. */
export interface ColumnStatistics {
  readonly type: FieldType
  readonly rows: number
  readonly nulls: number | undefined
  readonly min: ColumnValue | undefined
  readonly max: ColumnValue | undefined
}

export function columnStatistics({ type, leaf }: SchemaField, part: PartFacts): ColumnStatistics | undefined {
  if (leaf === undefined) return undefined
  const { nulls, bounds } = part.column(leaf)
  const min = bounds && decodeValue(type, bounds.min)
  const max = bounds && decodeValue(type, bounds.max)
  const areKnown = min !== undefined && max !== undefined
  return { type, rows: part.rows, nulls, min: areKnown ? min : undefined, max: areKnown ? max : undefined }
}

/**
 * Statistics of a file in Delta's JSON. Members of structs stand below them; lists and maps have none. It is written as text,
 * since integers of 64 bits are more than a number of JavaScript holds.
 */
export function statisticsJson(fields: readonly SchemaField[], part: PartFacts): string {
  const [minimums, maximums, nulls] = [new JsonObject(), new JsonObject(), new JsonObject()]
  addFields(fields, part, minimums, maximums, nulls)
  return new JsonObject()
    .add('numRecords', String(part.rows))
    .add('minValues', minimums.text)
    .add('maxValues', maximums.text)
    .add('nullCount', nulls.text).text
}

function addFields(
  fields: readonly SchemaField[],
  part: PartFacts,
  minimums: JsonObject,
  maximums: JsonObject,
  nulls: JsonObject,
): void {
  for (const field of fields) {
    const { name, type } = field
    if (type.kind === 'struct') {
      const inner = [new JsonObject(), new JsonObject(), new JsonObject()] as const
      addFields(type.fields, part, ...inner)
      for (const [at, outer] of [minimums, maximums, nulls].entries())
        if (!inner[at]!.isEmpty) outer.add(name, inner[at]!.text)
      continue
    }
    const statistics = columnStatistics(field, part)
    if (!statistics) continue
    const { min, max } = statistics
    if (statistics.nulls !== undefined) nulls.add(name, String(statistics.nulls))
    if (min === undefined || max === undefined) continue
    const [low, high] = [boundJson(type, min, false), boundJson(type, max, true)]
    if (low === undefined || high === undefined) continue
    minimums.add(name, low)
    maximums.add(name, high)
  }
}

class JsonObject {
  #members = ''

  add(name: string, json: string): this {
    this.#members += `${this.#members === '' ? '' : ','}${JSON.stringify(name)}:${json}`
    return this
  }

  get isEmpty(): boolean {
    return this.#members === ''
  }

  get text(): string {
    return `{${this.#members}}`
  }
}
