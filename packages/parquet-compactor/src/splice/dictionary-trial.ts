import { bitWidth } from '../format/hybrid-runs.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ColumnSums } from '../plan/plan-merge.ts'
import { isTooDistinct } from '../write/dictionary-policy.ts'

/** A dictionary is judged after so many values; the kernel gives up sooner where nearly all are distinct. */
export const TRIAL_VALUES = 32_768
/** Chunks with so few distinct values keep their dictionary in any case. */
const TINY_DICTIONARY_ENTRIES = 16
/** One tenth as many entries as values is always worth it; */
const FEW_DISTINCT = 0.1
/** otherwise dictionary and indices must be smaller than this part of what the chunks are now, compressed. */
const MAX_BYTES = 0.9

/** Decides once, from the first values of a column, whether a dictionary pays for all of them. */
export class DictionaryTrial {
  readonly #bytes: number
  readonly #values: number
  readonly #hadDictionary: boolean
  readonly #maxDictionaryBytes: number
  /** whether there is nothing to judge any more */
  isDone = false

  constructor({ bytes, values, dictionaries }: ColumnSums, maxDictionaryBytes: number) {
    this.#bytes = bytes
    this.#values = values
    this.#hadDictionary = dictionaries > 0
    this.#maxDictionaryBytes = maxDictionaryBytes
  }

  /** @returns undefined if it is too early, or judged already; whether to keep the dictionary */
  judge(kernel: Kernel, isLast: boolean): boolean | undefined {
    if (this.isDone) return undefined
    const seen = kernel.valuesSeen
    if (seen < TRIAL_VALUES && !isLast) return undefined
    this.isDone = true
    if (seen === 0) return true
    const distinct = kernel.distinctValues
    if (this.#hadDictionary) return distinct <= TINY_DICTIONARY_ENTRIES || !isTooDistinct(distinct, seen)
    const expected = expectDistinct(distinct, seen, this.#values)
    const dictionaryBytes = (expected * kernel.dictionaryBytes) / distinct
    if (dictionaryBytes > this.#maxDictionaryBytes) return false
    if (expected <= this.#values * FEW_DISTINCT) return true
    return dictionaryBytes + (this.#values * bitWidth(expected)) / 8 < this.#bytes * MAX_BYTES
  }
}

/**
 * How many distinct values are to be expected among `values`, if `distinct` were found among the first `seen` and all come
 * equally often: of K possible ones, n draws find K·(1 − e^(−n/K)).
 */
export function expectDistinct(distinct: number, seen: number, values: number): number {
  if (distinct >= seen) return values
  let low = 1e-9
  let high = 64
  // (1 − e^(−x)) / x falls with x = n/K
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if ((1 - Math.exp(-middle)) / middle > distinct / seen) low = middle
    else high = middle
  }
  const possible = seen / low
  return Math.min(values, Math.ceil(possible * (1 - Math.exp(-values / possible))))
}
