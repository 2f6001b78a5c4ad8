/** Values after which the writer decides whether a dictionary pays. */
const DICTIONARY_TRIAL_VALUES = 4096

/** Fraction of distinct values above which a dictionary does not pay. kernel/slots.ts applies it to gathered values. */
const MAX_DISTINCT_FRACTION = 0.6

/** A dictionary may grow to this multiple of the largest dictionary of the inputs. */
const INPUT_DICTIONARY_FACTOR = 1.5

/** Bytes of a dictionary per byte of its compressed form, at most. */
const UNCOMPRESSED_FACTOR = 4

/** @returns whether a dictionary of `distinct` entries is too large for `values` values to pay */
export function isTooDistinct(distinct: number, values: number): boolean {
  return distinct > values * MAX_DISTINCT_FRACTION
}

/** As `isTooDistinct`, but false until the writer has seen enough values to tell. */
export function isTrialLost(distinct: number, values: number): boolean {
  return values > DICTIONARY_TRIAL_VALUES && isTooDistinct(distinct, values)
}

/**
 * @param limitBytes           the configured bound on a dictionary
 * @param inputDictionaryBytes the largest dictionary of the inputs before compression, 0 if there is none
 * @returns bytes that a dictionary of the output may have: one that an input could afford still pays
 */
export function dictionaryLimitBytes(limitBytes: number, inputDictionaryBytes: number): number {
  return Math.max(limitBytes, inputDictionaryBytes * INPUT_DICTIONARY_FACTOR)
}

/**
 * As `dictionaryLimitBytes`, where only the compressed size of the largest input dictionary is known.
 * @param maxPageBytes bound on a page; a dictionary may take a quarter of it
 */
export function dictionaryLimitOfCompressed(limitBytes: number, compressedBytes: number, maxPageBytes: number): number {
  return Math.floor(Math.max(limitBytes, Math.min(compressedBytes * UNCOMPRESSED_FACTOR, maxPageBytes / 4)))
}
