import { type AddressedThing, type ComposedFooter, FusouError, type TableScope } from '@fusou/catalog'
import type { Context } from 'hono'
import { requesterOf } from '../auth/caller.ts'
import type { AppEnv } from '../bindings.ts'
import { type ByteRange, parseRange } from '../files/byte-range.ts'
import { laySegments, type Segment } from './segments.ts'

/** Things that one call of the database answers. A range over more files needs more calls. */
const PAGE_THINGS = 1000

/**
 * A range of the addresses of a table.
 * @param header of the request: one range, from the start or the end
 * @param open composes the newest version; needed where a range counts from the end, and when nobody has before
 * @returns `asked` undefined: the header is not one range, and may be ignored
 */
export async function readTableAddresses(
  c: Context<AppEnv>,
  scope: TableScope,
  header: string,
  open: () => Promise<ComposedFooter>,
): Promise<{ length: number; asked: ByteRange | 'unsatisfiable' | undefined; segments: () => AsyncIterable<Segment> }> {
  const read = (from: number, to: number) => readPage(c, scope, from, to)
  const countsFromEnd = /^bytes=\s*-/i.test(header)
  // The length is not known yet: a range that ends behind it is cut when it is.
  const guess = countsFromEnd ? undefined : parseRange(header, Number.MAX_SAFE_INTEGER)
  let page = typeof guess === 'object' ? await read(guess.offset, guess.offset + guess.length) : undefined
  if (page === undefined) {
    const { address, tailBytes } = await open()
    const asked = parseRange(header, address + tailBytes)
    if (typeof asked !== 'object') return { length: address + tailBytes, asked, segments: nothing }
    page = await read(asked.offset, asked.offset + asked.length)
    // vacuum has just taken the version
    if (page === undefined) throw new FusouError('bytes_gone', 'the table has changed; open it again')
  }
  const { length, things } = page
  const asked = parseRange(header, length)
  if (typeof asked !== 'object') return { length, asked, segments: nothing }
  return { length, asked, segments: () => laySegmentPages(things, asked, read) }
}

type Page = { length: number; things: AddressedThing[] } | undefined

async function* nothing(): AsyncGenerator<Segment> {}

async function readPage(c: Context<AppEnv>, scope: TableScope, from: number, to: number): Promise<Page> {
  const range = { from, to, limit: PAGE_THINGS }
  const answer = await c.var.services.catalog.readAddresses(scope, requesterOf(c), range)
  if (answer.outcome === 'unknown_dataset')
    throw new FusouError('unknown_dataset', `no dataset ${scope.datasetId} that you may see`)
  return answer.outcome === 'ok' ? answer : undefined
}

/** A page ends in the middle of the range: the next begins where its last thing ends. */
async function* laySegmentPages(
  first: readonly AddressedThing[],
  { offset, length }: ByteRange,
  read: (from: number, to: number) => Promise<Page>,
): AsyncGenerator<Segment> {
  const to = offset + length
  let things = first
  for (let from = offset; from < to; ) {
    const last = things.at(-1)
    const isWhole = things.length < PAGE_THINGS || last === undefined || last.address + last.length >= to
    const end = isWhole ? to : last.address + last.length
    yield* laySegments(things, from, end)
    from = end
    if (from < to) things = (await read(from, to))?.things ?? []
  }
}
