/**
 * Files of every writer at hand, merged in every way and judged by three readers. Here one case of each writer and some of the
 * ways are taken in turn; `npm run corpus` takes all of both, and the files of pyarrow and fastparquet.
 */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type CorpusCase, corpusCases } from './corpus/cases.ts'
import { judge, readCorpusFiles, WAYS } from './corpus/judge.ts'
import { pythonCases } from './corpus/python.ts'
import { PYTHON } from './corpus/python-environment.ts'

const isWhole = process.env.FUSOU_CORPUS === 'whole'
const python = pythonCases(isWhole)

/** One case of each writer and two of the ways, other ones for each writer. */
function sampleOf(writers: CorpusCase[][]): { files: CorpusCase; ways: typeof WAYS; turn: number }[] {
  return writers.flatMap((cases, writer) =>
    cases.flatMap((files, at) => {
      const turn = writer + at
      if (isWhole) return [{ files, ways: WAYS, turn }]
      if (at !== (writer * 7) % cases.length) return []
      const ways = WAYS.filter((_, way) => way % WAYS.length === turn % WAYS.length || way % 4 === writer % 4)
      return [{ files, ways: ways as unknown as typeof WAYS, turn }]
    }),
  )
}

const cases = sampleOf([...corpusCases(), ...python.writers])

test('there is a case of every writer', () => {
  const writers = new Set(cases.map(({ files }) => files.writer))
  expect([...writers].slice(0, 5)).toEqual(['DuckDB', 'arrow-rs', 'Polars', 'hyparquet-writer', 'parquetjs'])
})

test(`pyarrow and fastparquet: ${python.note}`, () => {
  // `npm run corpus` says whether it made the environment
  const isThere = process.env.FUSOU_CORPUS_PYTHON === 'yes' || existsSync(PYTHON)
  expect(python.writers).toHaveLength(isThere ? 2 : 0)
})

describe.each(cases)('$files.writer, $files.settings', ({ files, ways, turn }) => {
  test(ways.join(', '), { timeout: 300_000 }, async () => {
    const read = await readCorpusFiles(await files.write())
    // each way is judged by those who read the inputs themselves
    expect(read.readers.size, `only ${[...read.readers]} read the inputs`).toBeGreaterThan(0)
    for (const [at, way] of ways.entries()) {
      try {
        await judge(read, way, turn * 3 + at)
      } catch (error) {
        if (error instanceof Error) error.message = `${way}: ${error.message}`
        throw error
      }
    }
  })
})
