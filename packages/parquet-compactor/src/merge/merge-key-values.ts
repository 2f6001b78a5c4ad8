import { type KeyValue, keyText } from '../footer/footer.ts'

/** of arrow, pandas and Spark */
const SCHEMA_KEYS = ['ARROW:schema', 'pandas', 'org.apache.spark.sql.parquet.row.metadata']

/** Key-value metadata of all inputs: the first value of a key wins, keys that differ are remembered. */
export class KeyValueMerge {
  readonly pairs: KeyValue[] = []
  readonly #indexOf = new Map<string, number>()
  readonly #conflicts = new Set<string>()

  add(keyValues: KeyValue[]): void {
    for (const pair of keyValues) {
      const text = keyText(pair.key)
      const index = this.#indexOf.get(text)
      if (index === undefined) {
        this.#indexOf.set(text, this.pairs.length)
        this.pairs.push(pair)
      } else if (!sameBytes(this.pairs[index]!.value, pair.value)) {
        this.#conflicts.add(text)
      }
    }
  }

  /** Leave out what describes the schema of one file: readers would hold the output to it. @returns the keys */
  dropSchemas(): string[] {
    const dropped = SCHEMA_KEYS.filter((key) => this.#indexOf.has(key))
    const kept = this.pairs.filter(({ key }) => !dropped.includes(keyText(key)))
    this.pairs.splice(0, this.pairs.length, ...kept)
    for (const key of dropped) this.#conflicts.delete(key)
    return dropped
  }

  get conflictingKeys(): string[] {
    return [...this.#conflicts]
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
