import { readArrowSchema } from './arrow-schema.ts'
import { commonMembers, isObject, isSameJson, parseObject } from './json.ts'
import { uniteGeo } from './unite-geo.ts'
import { numberRows, unitePandas } from './unite-pandas.ts'

/** How a key of the footer is merged where its standard allows more than equal values. */
export interface KeyRule {
  /** @returns the value for the rows of both; undefined where there is none. Default: none where they differ */
  unite?(left: string, right: string): string | undefined
  /** it tells of rows, so it is left out where a file that has rows lacks it */
  isOfRows?: boolean
  /** it describes the schema, so it is left out where a union changes that */
  isOfSchema?: boolean
  /** @returns the value for so many rows; undefined where it is malformed */
  finish?(value: string, rows: number): string | undefined
}

const RECORD_FILTER: KeyRule = { isOfRows: true }
const SCHEMA: KeyRule = { isOfSchema: true }

/** Keys that are known. Of any other key, values that are the same are carried over, and values that differ are left out. */
export const KEY_RULES: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  // GeoParquet
  ['geo', { unite: uniteGeo, isOfRows: true }],
  // pandas, pyarrow, fastparquet
  ['pandas', { unite: unitePandas, isOfSchema: true, finish: numberRows }],
  // Arrow: the metadata that it repeats is compared under its own keys
  ['ARROW:schema', { unite: uniteArrowSchemas, isOfSchema: true }],
  // Spark
  ['org.apache.spark.sql.parquet.row.metadata', SCHEMA],
  // parquet-avro, by its present name and the old one
  ['parquet.avro.schema', SCHEMA],
  ['avro.schema', SCHEMA],
  // parquet-protobuf
  ['parquet.proto.descriptor', SCHEMA],
  // Iceberg
  ['iceberg.schema', SCHEMA],
  // Hugging Face datasets
  ['huggingface', { unite: uniteHuggingFace, isOfSchema: true }],
  // Hudi: bounds are texts in the order of Java, which compares UTF-16; its indexes skip files by them
  ['hoodie_min_record_key', { unite: (left, right) => [left, right].sort()[0], isOfRows: true }],
  ['hoodie_max_record_key', { unite: (left, right) => [left, right].sort()[1], isOfRows: true }],
  ['org.apache.hudi.bloomfilter', RECORD_FILTER],
  ['com.uber.hoodie.bloomfilter', RECORD_FILTER],
  ['hoodie_bloom_filter_type_code', RECORD_FILTER],
])

/**
 * Keys that together say how values are read, as whether dates are of the Julian calendar. They stay where all files with rows
 * say the same; where they do not, readers are told nothing, and those that care refuse old dates or ask.
 */
export interface KeyGroup {
  keys: readonly string[]
  /** @returns what the keys of a file say; equal texts are one way of reading */
  meaning(values: ReadonlyMap<string, string>): string
}

export const KEY_GROUPS: readonly KeyGroup[] = [
  {
    // Spark, DataSourceUtils: before 3.0 dates, before 3.1 INT96 are in the hybrid calendar, later ones where a key says so
    keys: [
      'org.apache.spark.version',
      'org.apache.spark.legacyDateTime',
      'org.apache.spark.legacyINT96',
      'org.apache.spark.timeZone',
    ],
    meaning(values) {
      const version = values.get('org.apache.spark.version')
      if (version === undefined) return 'not Spark'
      const [major = 0, minor = 0] = version.split('.').map(Number)
      return JSON.stringify([
        major < 3 || values.has('org.apache.spark.legacyDateTime'),
        major < 3 || (major === 3 && minor < 1) || values.has('org.apache.spark.legacyINT96'),
        values.get('org.apache.spark.timeZone'),
      ])
    },
  },
  {
    // Hive
    keys: ['writer.date.proleptic', 'writer.zone.conversion.legacy', 'writer.time.zone'],
    meaning(values) {
      return JSON.stringify(this.keys.map((key) => values.get(key) ?? null))
    },
  },
]

/** @returns the first where the fields are the same; the metadata that it repeats is united by the same rules as that of the file */
function uniteArrowSchemas(left: string, right: string): string | undefined {
  const [one, other] = [readArrowSchema(left), readArrowSchema(right)]
  if (!one || !other || one.fields !== other.fields) return undefined
  const pairs = [...one.metadata].flatMap(([key, value]): [string, string][] => {
    const rule = KEY_RULES.get(key)
    const second = other.metadata.get(key)
    if (second === undefined) return rule?.isOfRows ? [] : [[key, value]]
    const united = value === second ? value : rule?.unite?.(value, second)
    return united === undefined ? [] : [[key, united]]
  })
  const isSame = pairs.length === one.metadata.size && pairs.every(([key, value]) => one.metadata.get(key) === value)
  return isSame ? left : one.withMetadata(pairs)
}

/** The features of the columns stay where they are the same; a fingerprint is of one file. */
function uniteHuggingFace(left: string, right: string): string | undefined {
  const [one, other] = [parseObject(left), parseObject(right)]
  if (!one || !other || !isObject(one.info) || !isSameJson(one.info, other.info)) return undefined
  return JSON.stringify(commonMembers(one, other))
}
