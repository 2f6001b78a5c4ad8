import type { ByteBuffer } from '../../format/byte-buffer.ts'
import type { ColumnLimits, Kernel } from '../../kernel/kernel.ts'
import { ParquetError } from '../../parquet-error.ts'
import { pageHeader } from '../../splice/coalesce-chunk.ts'
import type { GatheredSlots } from './gathered-slots.ts'

/**
 * Append `rows` slots of a column as the pages of a chunk, uncompressed. What slots hold by a dictionary has one there, and what they
 * hold plain is plain, so that it is held in the same way once it is read again.
 * @param out   what is appended to
 * @param pages room for them until the dictionary is known
 */
export function appendSlots(
  kernel: Kernel,
  { leaf, number }: GatheredSlots,
  from: number,
  rows: number,
  limits: ColumnLimits,
  out: ByteBuffer,
  pages: ByteBuffer,
): void {
  pages.clear()
  kernel.onPage = (page) => {
    const to = page.what === 'dictionary' ? out : pages
    const body = page.body.view()
    to.append(pageHeader(page, body, false))
    to.append(body)
  }
  const pageBytes = Math.max(limits.pageBytes, kernel.slots.longestText(number) + 4)
  const dictionaryBytes = kernel.slots.holdsIndices(number) ? limits.dictionaryBytes : 0
  kernel.begin(leaf, 'none', { ...limits, pageBytes, dictionaryBytes })
  if (dictionaryBytes === 0) kernel.usePlain()
  if (!kernel.slots.writeSlots(number, from, rows)) {
    throw new ParquetError('corrupt_data', `column ${leaf.name}: values that cannot be written`, { column: leaf.name })
  }
  kernel.finish()
  out.append(pages.view())
}
