import type { Footer } from './footer.ts'

/**
 * The footer of some row groups of a file, as views. Every field is named, so that none that counts row groups or chunks is
 * carried over unsliced.
 */
export function sliceFooter(footer: Footer, from: number, to: number): Footer {
  if (from === 0 && to === footer.rowGroupCount) return footer
  const columns = footer.schema.leaves.length
  const [first, end] = [from * columns, to * columns]
  const rowsOfGroup = footer.rowsOfGroup.subarray(from, to)
  return {
    schema: footer.schema,
    rowCount: rowsOfGroup.reduce((sum, rows) => sum + rows, 0),
    rowGroupCount: to - from,
    footerBytes: footer.footerBytes,
    rowsOfGroup,
    chunkOffset: footer.chunkOffset.subarray(first, end),
    chunkBytes: footer.chunkBytes.subarray(first, end),
    chunkValues: footer.chunkValues.subarray(first, end),
    chunkCodec: footer.chunkCodec.subarray(first, end),
    chunkNulls: footer.chunkNulls.subarray(first, end),
    chunkEncodings: footer.chunkEncodings.subarray(first, end),
    chunkPages: footer.chunkPages.subarray(first, end),
    chunkVersions: footer.chunkVersions.subarray(first, end),
    chunkHasDictionary: footer.chunkHasDictionary.subarray(first, end),
    chunkDictionaryBytes: footer.chunkDictionaryBytes.subarray(first, end),
    boundsHaveOrder: footer.boundsHaveOrder,
    keyValues: footer.keyValues,
    boundsBytes: footer.boundsBytes,
    boundsAt: footer.boundsAt.subarray(first * 2, end * 2 + 1),
    boundsState: footer.boundsState.subarray(first, end),
    extrasBytes: footer.extrasBytes,
    // without entries where no chunk has any
    extrasAt: footer.extrasAt.length > 0 ? footer.extrasAt.subarray(first, end + 1) : footer.extrasAt,
    chunkExtras: footer.chunkExtras.subarray(first, end),
    sortingOfGroup: footer.sortingOfGroup.slice(from, to),
    ...(footer.adapted && { adapted: { ...footer.adapted, source: sliceFooter(footer.adapted.source, from, to) } }),
  }
}
