/** Why the output lacks a key that an input had in its footer. */
export const KEY_DROP_REASONS = {
  values_differ: 'values differ, and no standard says how they are united',
  missing_in_some: 'it tells of the rows, or how they are read, and an input with rows lacks it',
  schema_changed: 'it describes a schema that the union changed',
  malformed: 'its value is not what its standard has',
  too_large: 'the keys and values of the inputs are more than the output keeps',
} as const

export type KeyDropReason = keyof typeof KEY_DROP_REASONS

export interface DroppedKey {
  /** cut after 128 characters */
  key: string
  reason: KeyDropReason
}

export interface KeyValueReport {
  /** pairs in the output */
  written: number
  /** keys that the output lacks, the first 32 of them */
  dropped: DroppedKey[]
  /** how many there are of them; a key beyond what is remembered counts once for each file that has it */
  droppedCount: number
}
