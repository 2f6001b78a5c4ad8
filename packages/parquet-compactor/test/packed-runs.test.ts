import { expect, test } from 'vitest'
import { PAGE } from '../src/format/format.ts'
import { readPageHeader } from '../src/format/page-header.ts'
import { memorySource } from '../src/index.ts'
import { loadFooter } from '../src/read/inspect.ts'
import { expectFaithfulMerge, writeWithDuckDB } from './engines.ts'

/** Lengths of the packed runs of indices in the pages of the only column, which nothing compresses and in which nothing is null. */
async function packedRuns(file: Uint8Array): Promise<number[]> {
  const { footer } = (await loadFooter(memorySource('output', file))).footer
  const runs: number[] = []
  const end = footer.chunkOffset[0]! + footer.chunkBytes[0]!
  for (let at = footer.chunkOffset[0]!; at < end; ) {
    const header = readPageHeader(file, at)
    const body = file.subarray(at + header.headerBytes, at + header.headerBytes + header.compressedBytes)
    at += header.headerBytes + header.compressedBytes
    if (header.kind === PAGE.DATA) runs.push(...packedRunsOf(body))
  }
  return runs
}

function packedRunsOf(page: Uint8Array): number[] {
  const runs: number[] = []
  let at = 4 + new DataView(page.buffer, page.byteOffset).getUint32(0, true)
  const width = page[at++]!
  while (at < page.length) {
    let head = 0
    for (let shift = 0, byte = 128; byte > 127; shift += 7) {
      byte = page[at++]!
      head |= (byte & 127) << shift
    }
    if (head & 1) runs.push((head >> 1) * 8)
    at += head & 1 ? (head >> 1) * width : Math.ceil(width / 8)
  }
  return runs
}

/** DuckDB takes half as long again to read indices from long packed runs. */
test.each(['splice', 'rewrite'] as const)(
  'packed runs of indices are short where pages are rewritten: %s',
  async (pages) => {
    const files = await Promise.all(
      [0, 1, 2].map((f) =>
        writeWithDuckDB(`select (hash(i * 7) % 200)::int as n from range(${f * 20_000}, ${(f + 1) * 20_000}) t(i)`),
      ),
    )
    const { output } = await expectFaithfulMerge(files, { codec: 'none', pages, minPageBytes: 2 ** 30 })
    const runs = await packedRuns(output)
    expect(runs.reduce((sum, run) => sum + run, 0)).toBeGreaterThan(59_000)
    expect(Math.max(...runs)).toBe(256)
  },
)
