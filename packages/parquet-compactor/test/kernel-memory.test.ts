import { expect, test, vi } from 'vitest'
import { NODE_CODECS } from '../src/command/node-codecs.ts'
import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { query, store, writeWithDuckDB } from './engines.ts'
import { MemoryScratch } from './memory-scratch.ts'
import { withChecksums } from './support/edit-file.ts'
import { inVersionTwo } from './support/version-two.ts'

/** Before and behind every call into the kernel its memory grows, by nothing: that detaches each view all the same. */
const growth = vi.hoisted(() => {
  const state = { isForced: false, calls: 0 }
  const host = globalThis as unknown as { WebAssembly: { Instance: unknown } }
  const Plain = host.WebAssembly.Instance as new (module: object, imports: object) => { exports: Exports }
  type Exports = Record<string, unknown> & { memory: { grow(pages: number): number } }
  host.WebAssembly.Instance = class {
    exports: Record<string, unknown> = {}
    constructor(module: object, imports: object) {
      const { exports } = new Plain(module, imports)
      const grow = () => {
        if (!state.isForced) return
        state.calls++
        exports.memory.grow(0)
      }
      for (const [name, value] of Object.entries(exports)) {
        if (typeof value !== 'function') this.exports[name] = value
        else {
          this.exports[name] = (...numbers: number[]) => {
            grow()
            const result = value(...numbers)
            grow()
            return result
          }
        }
      }
    }
  }
  return state
})

const SELECT = `select i::int as id, (hash(i) % 1000)::bigint as n, 't' || hash(i) % 300 as s, md5(i::varchar) as m,
  case when i % 4 > 0 then (hash(i) % 50)::double end as d, i % 3 = 0 as b, [i, null][:(i % 3)::int] as l,
  case when i % 7 > 0 then 'x' || hash(i) end as x, (hash(i) % 40)::decimal(30, 2) as f`

async function merge(files: Uint8Array[], options: MergeOptions): Promise<Uint8Array> {
  const sink = memorySink()
  await mergeParquet(
    files.map((file, i) => memorySource(`file ${i}`, file)),
    sink,
    { codecs: NODE_CODECS, ...options },
  )
  return sink.bytes()
}

type Layout = (file: Uint8Array) => Uint8Array
const LAYOUTS: [codec: string, version: number, layout: Layout][] = [
  ...['uncompressed', 'snappy', 'zstd', 'gzip'].map((codec): [string, number, Layout] => [codec, 1, (file) => file]),
  ['uncompressed', 2, (file) => inVersionTwo(file, 'UNCOMPRESSED')],
  // arrow-rs stores what the codec does not make smaller, and says so in the header
  ['snappy', 2, (file) => inVersionTwo(file, 'SNAPPY')],
]
const WAYS: [string, () => MergeOptions][] = [
  ['joined', () => ({ minPageBytes: 2 ** 20 })],
  ['passed', () => ({ minPageBytes: 0 })],
  ['checked', () => ({ pages: 'check', minPageBytes: 0 })],
  ['rewritten as zstd', () => ({ pages: 'rewrite', codec: 'zstd' })],
  ['rewritten as snappy', () => ({ pages: 'rewrite', codec: 'snappy' })],
  ['sorted', () => ({ sortBy: [{ column: 'n' }, { column: 's' }] })],
  [
    'sorted with a scratch',
    () => ({ sortBy: [{ column: 'm' }], scratch: new MemoryScratch(), memoryBudgetBytes: 2 ** 20 }),
  ],
  ['without duplicates', () => ({ dedupeBy: ['n'] })],
]

test.each(LAYOUTS.flatMap((layout) => [false, true].map((checksums) => [...layout, checksums] as const)))(
  'no view of the kernel outlives a call, and no reused buffer is read later: %s, version %i, %s, checksums %s',
  { timeout: 60_000 },
  async (codec, _, layout, checksums) => {
    const files = []
    for (const from of [0, 2500]) {
      const select = `${SELECT} from range(${from}, ${from + 2500}) t(i)`
      const file = layout(await writeWithDuckDB(select, `compression ${codec}`))
      files.push(checksums ? withChecksums(file) : file)
    }
    const clear = ByteBuffer.prototype.clear
    for (const [way, options] of WAYS) {
      growth.isForced = false
      const expected = await merge(files, options())
      growth.isForced = true
      growth.calls = 0
      const poison = vi.spyOn(ByteBuffer.prototype, 'clear').mockImplementation(function (this: ByteBuffer) {
        this.bytes.fill(0xa5)
        clear.call(this)
      })
      const actual = await merge(files, options())
      poison.mockRestore()
      expect(growth.calls, way).toBeGreaterThan(10)
      expect(Buffer.compare(actual, expected), way).toBe(0)
    }
    growth.isForced = false
  },
)

test('pages that a codec of the caller hands back as it got them are taken over', async () => {
  const file = withChecksums(await writeWithDuckDB('select i from range(6000) t(i)', 'compression uncompressed'))
  growth.isForced = true
  const same = { compress: (bytes: Uint8Array) => bytes, decompress: (bytes: Uint8Array) => bytes }
  const renamed = await merge([file], { codec: 'lz4', codecs: { lz4: same } })
  const output = await merge([renamed, renamed], { codecs: { lz4: same }, codec: 'none', pages: 'rewrite' })
  growth.isForced = false
  expect(await query(`select count(*), sum(i) from '${store(output)}'`)).toEqual([['12000', '35994000']])
})

test.each(['uncompressed', 'snappy', 'zstd'])(
  '66,000 short texts that are all distinct are sorted: %s',
  async (codec) => {
    const file = await writeWithDuckDB(
      "select 'u' || lpad(i::varchar, 5, '0') as a from range(66000) t(i)",
      `compression ${codec}, row_group_size 1000000`,
    )
    const output = await merge([file, file], { sortBy: [{ column: 'a' }] })
    const path = store(output)
    const isInOrder = `select count(*) from (select a, lag(a) over (order by file_row_number) as before from read_parquet('${path}', file_row_number = true)) where before > a`
    expect(await query(`select count(*), count(distinct a), (${isInOrder}) from '${path}'`)).toEqual([
      ['132000', '66000', '0'],
    ])
  },
)
