import { type KeyValue, keyText } from '../footer/footer.ts'

/** Bounds the key-value metadata of the output, which is held from the first footer to the last byte. */
export class KeyValueRoom {
  readonly #maxBytes: number
  readonly #known = new Set<string>()
  #bytes = 0
  /** pairs that did not fit */
  leftOut = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @returns the pairs whose key is known, which replace nothing, and those that still fit */
  admit(pairs: readonly KeyValue[]): KeyValue[] {
    return pairs.filter(({ key, value }) => {
      const text = keyText(key)
      if (this.#known.has(text)) return true
      const bytes = key.length + (value?.length ?? 0)
      if (this.#bytes + bytes > this.#maxBytes) {
        this.leftOut++
        return false
      }
      this.#bytes += bytes
      this.#known.add(text)
      return true
    })
  }
}
