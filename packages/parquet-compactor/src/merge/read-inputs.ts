import type { CodecName } from '../codecs/codec.ts'
import { CODEC_NAMES, canCompress } from '../codecs/compression.ts'
import { adaptFooter, adaptSchema } from '../footer/adapt-footer.ts'
import { ParquetError } from '../parquet-error.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import { loadFooter } from '../read/inspect.ts'
import { readAhead } from '../read/read-ahead.ts'
import type { Source } from '../read/source.ts'
import { type Schema, schemaFingerprint } from '../schema/schema.ts'
import type { SchemaChange } from '../schema/unite-schemas.ts'
import { type NamedSchema, uniteSchemas } from '../schema/unite-schemas.ts'
import type { SlicedInput } from '../sort/select-rows.ts'
import { KeyValueMerge } from './merge-key-values.ts'
import type { Settings } from './settings.ts'

export async function readInputs(
  sources: readonly Source[],
  settings: Settings,
): Promise<{ inputs: SlicedInput[]; keyValues: KeyValueMerge; schema: Schema; schemaChanges: SchemaChange[] }> {
  const inputs: SlicedInput[] = []
  const keyValues = new KeyValueMerge()
  let schema: Schema | undefined
  const schemas = new Map<string, NamedSchema>()
  let heldBytes = 0
  const load = async (source: Source) => {
    throwIfAborted(settings.signal)
    return { source, ...(await loadFooter(source, undefined, undefined, schema)) }
  }
  for await (const { source, footer, tail } of readAhead(sources, settings.maxReadsInFlight, load)) {
    if (!schema) {
      const { schemaFingerprint: expected } = settings
      if (expected !== undefined && (await schemaFingerprint(footer.schema)) !== expected) {
        throw new ParquetError('schema_mismatch', `${source.name}: not the schema with the fingerprint ${expected}`)
      }
      schema = footer.schema
    }
    if (settings.schema === 'strict' && footer.schema.canonical !== schema.canonical) {
      throw new ParquetError('schema_mismatch', `${source.name}: ${firstDifference(schema, footer.schema)}`)
    }
    for (let i = 0; i < footer.chunkCodec.length; i++) {
      if (!CODEC_NAMES[footer.chunkCodec[i]!]) {
        const { name } = footer.schema.leaves[i % footer.schema.leaves.length]!
        throw new ParquetError('unsupported_column', `${source.name}: column ${name} has codec ${footer.chunkCodec[i]}`)
      }
    }
    keyValues.add(footer.keyValues)
    const keeps = tail.byteLength === source.byteLength && heldBytes + tail.byteLength <= settings.memoryBudgetBytes / 8
    if (keeps) heldBytes += tail.byteLength
    // of thousands of equal schemas one is enough
    const own = schemas.get(footer.schema.canonical) ?? { schema: footer.schema, source: source.name }
    schemas.set(footer.schema.canonical, own)
    inputs.push({ source, footer: { ...footer, schema: own.schema, keyValues: [] }, bytes: keeps ? tail : undefined })
  }
  if (!schema) throw new ParquetError('bad_option', 'there is nothing to merge')
  if (schemas.size === 1) return { inputs, keyValues, schema, schemaChanges: [] }
  const united = uniteSchemas([...schemas.values()])
  const adaptations = new Map([...schemas].map(([text, own]) => [text, adaptSchema(own.schema, united.schema)]))
  for (const input of inputs) input.footer = adaptFooter(input.footer, adaptations.get(input.footer.schema.canonical)!)
  return { inputs, keyValues, schema: united.schema, schemaChanges: united.changes }
}

function firstDifference(a: Schema, b: Schema): string {
  const left = a.canonical.split('\n')
  const right = b.canonical.split('\n')
  const at = left.findIndex((line, i) => line !== right[i])
  if (at === 0 || at < 0) return `${b.leaves.length} columns where the first source has ${a.leaves.length}`
  return `${right[at] ?? 'nothing'} where the first source has ${left[at]}`
}

export function chooseCodecs(inputs: SlicedInput[], schema: Schema, settings: Settings): CodecName[] {
  const { codec } = settings
  const first = inputs.find(({ footer }) => footer.rowCount > 0)?.footer
  return schema.leaves.map((_, column) => {
    if (codec !== 'keep') return codec
    const group = first ? first.rowsOfGroup.findIndex((rows) => rows > 0) : -1
    const name = first && group >= 0 ? CODEC_NAMES[first.chunkCodec[group * schema.leaves.length + column]!] : undefined
    return name && canCompress(name, settings.codecs) ? name : 'snappy'
  })
}
