/** The writer of a file by `created_by`, as far as its known defects matter. */
interface Writer {
  application: string
  /** major, minor, patch */
  version: [number, number, number] | undefined
}

/** Names are shorter; where a version might begin is tried at each space, and a hostile name may have a million of them. */
const MAX_NAME_LENGTH = 256

/** `parquet-mr version 1.8.1 (build 4aba4da…)`, as parquet-java and Arrow read it. */
function readWriter(whole: string): Writer {
  const createdBy = whole.slice(0, MAX_NAME_LENGTH)
  const [, application, major, minor, patch] = /^(.*?)(?:\s+version\s+(\d+)\.(\d+)(?:\.(\d+))?.*)?$/s.exec(createdBy)!
  const version: Writer['version'] = major ? [Number(major), Number(minor), Number(patch ?? 0)] : undefined
  return { application: application!.trim().split(/\s/)[0]!, version }
}

function isBefore({ version }: Writer, major: number, minor: number, patch: number): boolean {
  // a writer that once had the defect may have it where it does not say its version
  if (!version) return true
  return (version[0] - major || version[1] - minor || version[2] - patch) < 0
}

/**
 * Whether bounds of byte arrays and unsigned numbers are what they should be, if the file names an order. They are not in files of
 * parquet-mr before 1.10 and parquet-cpp before 1.3 (PARQUET-251, PARQUET-1025), nor can they be sure in those of
 * nobody. Readers know these by `created_by`, which the output no longer has.
 */
export function hasSoundBounds(createdBy: string): boolean {
  const writer = readWriter(createdBy)
  if (writer.application === '') return false
  if (writer.application === 'parquet-mr') return !isBefore(writer, 1, 10, 0)
  return writer.application !== 'parquet-cpp' || !isBefore(writer, 1, 3, 0)
}

/**
 * Whether pages of DELTA_BYTE_ARRAY may go on with the last value of the page before, as those of parquet-mr up to 1.8.0 do
 * (PARQUET-246). Readers allow for it by `created_by`, so such pages cannot stand in a file of another writer.
 */
export function mayJoinDeltaPages(createdBy: string): boolean {
  const writer = readWriter(createdBy)
  return writer.application === 'parquet-mr' && isBefore(writer, 1, 8, 1)
}

/**
 * Whether chunks with a dictionary may be longer than the footer says, as those of parquet-mr before 1.2.9 are by the header of
 * the dictionary page (PARQUET-816). Readers allow for it by `created_by`, so such chunks cannot stand in a file of another writer.
 */
export function mayUnderstateChunks(createdBy: string): boolean {
  const writer = readWriter(createdBy)
  return writer.application === 'parquet-mr' && isBefore(writer, 1, 2, 9)
}

/**
 * Whether compressed pages of version 2 may say that they are not compressed, as those of Arrow before 3.0 do, which then named
 * itself parquet-cpp 1.5.1 (ARROW-10353). Readers allow for it by `created_by`; its footers do not tell the version of pages.
 */
export function mayMisstateCompression(createdBy: string): boolean {
  const writer = readWriter(createdBy)
  return writer.application === 'parquet-cpp' && isBefore(writer, 2, 0, 0)
}
