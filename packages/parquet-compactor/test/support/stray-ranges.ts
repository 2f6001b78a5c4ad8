import type { FileMetaData } from 'hyparquet'

/** A file and the address of its first byte. */
export interface PlacedFile {
  bytes: Uint8Array
  address: number
}

export interface ComposedLayout {
  files: readonly PlacedFile[]
  tailAddress: number
  /** pages of nulls and the footer */
  bytes: Uint8Array
  footerBytes: number
}

/**
 * Look for what a composed footer must not have: a byte range that is not in exactly one file before its footer, or among the pages
 * of the tail; page indexes, ordinals, other files, and row groups without rows.
 * @returns in words, none where it is sound
 */
export function strayRanges(
  { files, tailAddress, bytes, footerBytes }: ComposedLayout,
  { row_groups: rowGroups }: FileMetaData,
): string[] {
  const strays: string[] = []
  const areas = files.map((file) => ({ start: file.address + 4, end: file.address + file.bytes.length - 12 }))
  areas.push({ start: tailAddress, end: tailAddress + bytes.length - footerBytes })
  const areaOf = (what: string, start: number, end: number) => {
    const around = areas.filter((area) => start >= area.start && end <= area.end)
    if (around.length !== 1 || !(end >= start))
      strays.push(`${what}: bytes ${start} to ${end} lie in ${around.length} files`)
    return around[0]
  }
  for (const [number, group] of (rowGroups as RowGroup[]).entries()) {
    if (group.ordinal !== undefined || !(group.num_rows > 0n)) strays.push(`row group ${number}: ordinal or no rows`)
    areaOf(`row group ${number}`, Number(group.file_offset), Number(group.file_offset))
    for (const chunk of group.columns) {
      const metadata = chunk.meta_data!
      const column = `row group ${number}, column ${metadata.path_in_schema.join('.')}`
      if (chunk.offset_index_offset ?? chunk.column_index_offset ?? chunk.file_path ?? metadata.index_page_offset) {
        strays.push(`${column}: page index or other file`)
      }
      const data = Number(metadata.data_page_offset)
      const start = Math.min(data, Number(metadata.dictionary_page_offset ?? data))
      const area = areaOf(column, start, start + Number(metadata.total_compressed_size))
      if (areaOf(column, data, start + Number(metadata.total_compressed_size)) !== area)
        strays.push(`${column}: two files`)
      if (metadata.bloom_filter_offset === undefined) continue
      const filter = Number(metadata.bloom_filter_offset)
      if (areaOf(`${column}, bloom filter`, filter, filter + metadata.bloom_filter_length!) !== area) {
        strays.push(`${column}: bloom filter of another file`)
      }
    }
  }
  return strays
}

type RowGroup = FileMetaData['row_groups'][number] & { file_offset?: bigint; ordinal?: number }
