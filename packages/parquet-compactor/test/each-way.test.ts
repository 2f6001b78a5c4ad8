import { describe, expect, test } from 'vitest'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'
import { MemoryScratch } from './memory-scratch.ts'
import { editFooter, editPages, withChecksums } from './support/edit-file.ts'
import { fieldsOf, i32, i64, numberOf, valuesOf } from './support/thrift-tree.ts'
import { inVersionTwo } from './support/version-two.ts'

/** Every way that a column can go, for files with a column `id`. */
const WAYS: [string, () => MergeOptions][] = [
  ['joined by the kernel', () => ({ minPageBytes: 2 ** 20 })],
  ['passed', () => ({ minPageBytes: 0 })],
  ['copied', () => ({ minPageBytes: 0, targetRowGroupBytes: 20_000 })],
  ['looked through', () => ({ pages: 'check', minPageBytes: 0 })],
  ['rewritten', () => ({ pages: 'rewrite' })],
  ['streamed', () => ({ pages: 'rewrite', targetRowGroupBytes: 1000 })],
  ['in another codec', () => ({ codec: 'gzip' })],
  ['sorted', () => ({ sortBy: [{ column: 'id' }] })],
  [
    'sorted with a scratch',
    () => ({ sortBy: [{ column: 'id' }], scratch: new MemoryScratch(), memoryBudgetBytes: 2 ** 20 }),
  ],
  ['without duplicates', () => ({ dedupeBy: ['id'] })],
]

async function merge(files: Uint8Array[], options: MergeOptions): Promise<Uint8Array> {
  const sink = memorySink()
  const sources = files.map((file, i) => memorySource(`file ${i}`, file))
  await mergeParquet(sources, sink, { codecs: NODE_CODECS, ...options })
  return sink.bytes()
}

type Layout = (file: Uint8Array) => Uint8Array | Promise<Uint8Array>
const asItIs: Layout = (file) => file
const LAYOUTS: [codec: string, version: 1 | 2, layout: Layout][] = [
  ['uncompressed', 1, asItIs],
  ['snappy', 1, asItIs],
  ['zstd', 1, asItIs],
  ['uncompressed', 2, (file) => inVersionTwo(file, 'UNCOMPRESSED')],
  ['snappy', 2, (file) => inVersionTwo(file, 'SNAPPY')],
]

describe.each(WAYS)('%s', (way, options) => {
  test.each(LAYOUTS)(
    'a wrong checksum is found on each kind of page of flat columns and lists: %s, version %i',
    async (codec, version, layout) => {
      const select = (from: number) =>
        `select i::int as id, 's' || hash(i) % 20 as s, [i % 7, null] as l, hash(i)::double as d from range(${from}, ${from + 600}) t(i)`
      const make = async (from: number) =>
        withChecksums(await layout(await writeWithDuckDB(select(from), `compression ${codec}`)))
      const [sound, other] = [await make(0), await make(300)]
      await merge([other, sound], options())
      let pages = 0
      editPages(sound, (page) => {
        pages++
        return page
      })
      const kinds = new Set<number>()
      for (let wrong = 0; wrong < pages; wrong++) {
        let at = 0
        const file = editPages(sound, ({ header, body }) => {
          if (at++ !== wrong) return { header, body }
          kinds.add(numberOf(header.get(1)))
          return { header: header.set(4, i32(numberOf(header.get(4)) ^ 1)), body }
        })
        await expect(merge([other, file], options()), `page ${wrong}`).rejects.toThrow(
          /corrupt_data: file 1: column .*the checksum of a page does not match/,
        )
      }
      expect([...kinds].sort()).toEqual(version === 1 ? [0, 2] : [2, 3])
    },
  )

  // A list is no column to sort by.
  test.skipIf(/sorted|duplicates/.test(way)).each(['uncompressed', 'snappy'])(
    'a list that has more rows than its row group is refused: %s',
    async (codec) => {
      const sound = await writeWithDuckDB('select [i, i + 1, null] as l from range(900) t(i)', `compression ${codec}`)
      for (const surplus of [1, 100, 899]) {
        const file = editFooter(sound, (footer) => {
          footer.set(3, i64(900 - surplus))
          for (const group of valuesOf(footer.get(4))) fieldsOf(group).set(3, i64(900 - surplus))
        })
        await expect(merge([sound, file], options()), `${surplus}`).rejects.toThrow(
          /row_count_mismatch: file 1: column l/,
        )
      }
    },
  )

  test('more values in the last page than the footer names are refused', async () => {
    const select = "select i::int as id, 's' || i % 9 as s from range(900) t(i)"
    const sounds = [
      await writeWithDuckDB(select),
      await writeWithDuckDB(select, 'parquet_version v2'),
      await writeWithDuckDB(select, 'dictionary_size_limit 1'),
      inVersionTwo(await writeWithDuckDB(select)),
    ]
    for (const [layout, sound] of sounds.entries()) {
      const file = editFooter(sound, (footer) => {
        footer.set(3, i64(800))
        for (const group of valuesOf(footer.get(4))) {
          fieldsOf(group).set(3, i64(800))
          for (const chunk of valuesOf(fieldsOf(group).get(1))) fieldsOf(fieldsOf(chunk).get(3)).set(5, i64(800))
        }
      })
      await expect(merge([sound, file], options()), `${layout}`).rejects.toThrow(
        /corrupt_data: file 1: column .*more values than/,
      )
    }
  })

  test('an index that equals the size of the dictionary is refused, in flat columns and in lists', async () => {
    for (const [column, select] of [
      ['n', 'select i::int as id, (i % 5)::int as n'],
      ['l.list.element', 'select i::int as id, [(i % 5)::int] as l'],
    ] as const) {
      for (const version of [1, 2]) {
        const make = async (query: string) => {
          const file = await writeWithDuckDB(query, 'compression uncompressed')
          return version === 1 ? file : inVersionTwo(file, 'UNCOMPRESSED')
        }
        // of other values, so that a joined dictionary changes the indices of the second file
        const first = await make(`${select.replace('i % 5', '7 + i % 3')} from range(600) t(i)`)
        const sound = await make(`${select} from range(600, 1200) t(i)`)
        let dictionaries = 0
        const file = editPages(sound, ({ header, body }) => {
          const details = header.get(7)
          if (!details || numberOf(fieldsOf(details).get(1)) !== 5) return { header, body }
          dictionaries++
          // its last entry is gone, but not the indices that stand for it
          fieldsOf(details).set(1, i32(4))
          header.set(2, i32(16)).set(3, i32(16))
          return { header, body: body.slice(0, 16) }
        })
        expect(dictionaries).toBe(1)
        await merge([first, sound], options())
        // pages of a chunk that is alone pass as they are, where nobody asks for a look at them
        if (way === 'copied' || (way === 'passed' && column === 'n')) continue
        await expect(merge([first, file], options()), `${column} ${version}`).rejects.toThrow(
          new RegExp(`corrupt_data: file 1: column ${column}: .*index`),
        )
      }
    }
  })
})
