import { type ComposedFooter, FusouError } from '@fusou/catalog'
import { z } from 'zod'
import { MAGIC, type Segment } from './segments.ts'

/**
 * The files of a pinned version, which lie one after the other behind the magic: [length, key, offset in the object, id, row
 * groups in the composed footer].
 */
export const Layout = z.array(
  z.tuple([z.int().positive(), z.string(), z.int().nonnegative(), z.uuid(), z.int().nonnegative()]),
)
export type Layout = z.infer<typeof Layout>

/** Layouts that an isolate keeps, by the length of their text. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024

/** Reads the layouts of pinned versions, which never change, and keeps the latest. */
export class PinnedLayouts {
  /** oldest first */
  readonly #kept = new Map<string, { bytes: number; layout: Layout }>()
  #keptBytes = 0

  /** @throws FusouError `object_missing`, `storage_unavailable` */
  async read(bucket: R2Bucket, footer: ComposedFooter): Promise<Layout> {
    const kept = this.#kept.get(footer.id)
    if (kept) return kept.layout
    const { r2Key, tailBytes: offset, layoutBytes: length } = footer
    const object = await bucket.get(r2Key, { range: { offset, length } }).catch((cause: unknown) => {
      throw new FusouError('storage_unavailable', 'the table could not be read; try again', { cause })
    })
    if (!object) throw new FusouError('object_missing', 'the footer of this version is gone; tell the operator')
    const layout = Layout.parse(await object.json())
    this.#keep(footer.id, { bytes: length, layout })
    return layout
  }

  #keep(id: string, kept: { bytes: number; layout: Layout }): void {
    this.#kept.set(id, kept)
    this.#keptBytes += kept.bytes
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) return
      this.#kept.delete(oldest)
      this.#keptBytes -= bytes
    }
  }
}

/** The parts of a range of a pinned version. */
export function* layPinned(layout: Layout, footer: ComposedFooter, from: number, to: number): Generator<Segment> {
  if (from < MAGIC.length) yield { kind: 'magic', offset: from, length: Math.min(to, MAGIC.length) - from }
  let address = MAGIC.length
  for (const [length, r2Key, offset] of [...layout, [footer.tailBytes, footer.r2Key, 0] as const]) {
    const [first, end] = [Math.max(from, address), Math.min(to, address + length)]
    if (end > first) yield { kind: 'stored', r2Key, offset: offset + first - address, length: end - first }
    address += length
    if (address >= to) return
  }
}
