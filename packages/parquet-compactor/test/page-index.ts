import { parquetReadObjects, readColumnIndex, readOffsetIndex, type SchemaElement } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { expect } from 'vitest'
import { readPageHeader } from '../src/format/page-header.ts'
import { metadataOf } from './engines.ts'

type Value = number | bigint | string | boolean | Uint8Array | Date | null

/**
 * Hold the page indexes of a file to its pages and values: places, rows, null counts, bounds and their order. Of flat columns
 * at the root.
 * @param without names the columns that must have a chunk without an index; every chunk of the others must have both
 * @returns for each column, in how many pages it is by its indexes
 */
export async function checkPageIndexes(
  file: Uint8Array,
  without: readonly string[] = [],
): Promise<Record<string, number>> {
  const { buffer } = new Uint8Array(file)
  const metadata = metadataOf(file)
  const pagesOf: Record<string, number> = {}
  const lacking = new Set<string>()
  const table = await parquetReadObjects({ file: buffer, compressors })
  let groupStart = 0
  for (const [g, group] of metadata.row_groups.entries()) {
    const rows = Number(group.num_rows)
    for (const chunk of group.columns) {
      const name = chunk.meta_data!.path_in_schema.join('.')
      if (!chunk.offset_index_offset || !chunk.column_index_offset) {
        lacking.add(name)
        continue
      }
      const element = metadata.schema.find((e) => e.name === name && e.type) as SchemaElement
      const view = (offset: bigint, length: number) => ({
        view: new DataView(buffer, Number(offset), length),
        offset: 0,
      })
      const { page_locations: pages } = readOffsetIndex(view(chunk.offset_index_offset, chunk.offset_index_length!))
      const index = readColumnIndex(view(chunk.column_index_offset, chunk.column_index_length!), element)
      pagesOf[name] = (pagesOf[name] ?? 0) + pages.length
      expect(index.min_values.length, name).toBe(pages.length)
      const what = `column ${name} of row group ${g}`
      let [min, max]: Value[] = [null, null]
      for (const [p, { offset, compressed_page_size, first_row_index }] of pages.entries()) {
        const header = readPageHeader(file, Number(offset))
        expect(header.headerBytes + header.compressedBytes, what).toBe(compressed_page_size)
        const end = Number(pages[p + 1]?.first_row_index ?? rows)
        const own = table.slice(groupStart + Number(first_row_index), groupStart + end).map((row) => row[name] as Value)
        expect(header.values, what).toBe(own.length)
        const nulls = own.filter((value) => value === null || value === undefined).length
        if (index.null_counts) expect(Number(index.null_counts[p]), `${what}, page ${p}`).toBe(nulls)
        if (index.null_pages[p]) {
          expect(nulls).toBe(own.length)
          continue
        }
        const [low, high] = [index.min_values[p] as Value, index.max_values[p] as Value]
        for (const value of own) {
          if (value === null || value === undefined || Number.isNaN(value)) continue
          expect(compare(low, value) <= 0 && compare(value, high) <= 0, `${what}: ${low} ${value} ${high}`).toBe(true)
        }
        if (min !== null && index.boundary_order !== 'UNORDERED') {
          const sign = index.boundary_order === 'ASCENDING' ? 1 : -1
          expect(compare(min, low) * sign <= 0 && compare(max, high) * sign <= 0, what).toBe(true)
        }
        ;[min, max] = [low, high]
      }
    }
    groupStart += rows
  }
  expect([...lacking].sort(), 'columns with a chunk that has no page index').toEqual([...without].sort())
  return pagesOf
}

function compare(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return a! < b! ? -1 : a! > b! ? 1 : 0
}
