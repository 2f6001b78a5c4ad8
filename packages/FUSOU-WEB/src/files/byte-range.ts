/** A range of bytes, from the start of the file. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/**
 * The one range that a Range header asks for (RFC 9110, section 14.2).
 * @returns undefined for the whole file: no header, another unit, several ranges or one that is malformed, all of which a
 *   server may ignore; `unsatisfiable` when the range lies outside the file
 */
export function parseRange(header: string | undefined, fileBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), fileBytes)
    return length === 0 ? 'unsatisfiable' : { offset: fileBytes - length, length }
  }
  const offset = Number(first)
  const end = last === '' ? fileBytes : Math.min(Number(last) + 1, fileBytes)
  if (last !== '' && Number(last) < offset) return undefined
  return offset >= fileBytes ? 'unsatisfiable' : { offset, length: end - offset }
}
