/**
 * Values as bytes, never as JavaScript values: what was read is what is written.
 * Of fixed width, value i begins at i × width; otherwise `starts` and `lengths` say where it is.
 */
export interface ValueTable {
  count: number
  bytes: Uint8Array
  starts?: Uint32Array
  lengths?: Uint32Array
}

/** Values of one data page: in a table, or as indices into the dictionary of the chunk. */
export interface PageValues {
  count: number
  table: ValueTable
  indices?: Uint32Array
}
