import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkRows } from '../src/checks/check-rows.ts'
import type { ResultFile } from '../src/demo/download-result.ts'
import { printReport } from '../src/load/print-report.ts'
import { runLoad } from '../src/load/run-load.ts'
import { StampedFiles } from '../src/load/stamped-files.ts'
import { ProgressLine } from '../src/support/progress-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusou-load-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A bound for a machine under load, not an expectation. */
const LOAD_MS = 180_000

test(
  'sixty uploads by six clients are there once each, for one database call and one put each',
  async () => {
    const silent = new ProgressLine({ write: () => true } as unknown as NodeJS.WriteStream)
    const options = { uploads: 60, clients: 6, seed: 1, folder: join(folder, 'load'), queueBatchSeconds: 1 }
    const report = await runLoad(options, silent)
    expect(report).toMatchObject({ faults: [], accepted: 63, duplicates: 3, jobs: { succeeded: expect.any(Number) } })
    expect(report.calls.register_upload).toBeGreaterThanOrEqual(63)
    expect(report.calls.register_upload).toBeLessThanOrEqual(63 + report.duplicates + report.retried)
    expect(report.objects.uploads).toBeGreaterThanOrEqual(60)
    // A duplicate asks twice, and puts its bytes once like any other. The first uploads of a dataset also name its owner, at
    // most one of each client; each dataset is asked for a merge in the end.
    const claims = report.calls.request_compaction! * options.clients
    expect(report.operations['fusou put']).toBeGreaterThan(63)
    expect(report.operations['fusou put']).toBeLessThanOrEqual(63 + claims + report.duplicates + report.retried)
    expect(report.checked['live files read']).toBeLessThan(60)
    expect(printReport(report)).toMatch(/^accepted +63, 3 of them duplicates/)
  },
  LOAD_MS,
)

describe('the check of rows', () => {
  const partition = { datasetId: 'd', table: 't', periodTag: '0' }
  const stored = [0, 1].map((upload) => ({ upload, rows: [100, 200][upload]!, ...partition, there: 'whole' as const }))
  const files: ResultFile[] = []

  beforeAll(async () => {
    const stamped = await StampedFiles.make(join(folder, 'templates'))
    for (const upload of [0, 1, 5]) {
      const path = join(folder, `${upload}.parquet`)
      writeFileSync(path, stamped.file(upload).bytes)
      files.push({ ...partition, path, id: '', level: 0, rows: 0, bytes: 0, sha256: '', url: '' })
    }
  })

  test('passes what is there once', async () => {
    expect(await checkRows(stored, files.slice(0, 2))).toEqual([])
  })

  test.each([
    ['a missing upload', () => [files[0]!], 'd/t/0: upload 1 was answered and is not there'],
    ['one that is there twice', () => [files[0]!, ...files.slice(0, 2)], 'd/t/0: upload 0 has 200 rows, 100 of them'],
    ['one that nobody sent', () => files, 'd/t/0: rows of upload 5, which was not sent there'],
  ])('names %s', async (_what, live, fault) => {
    expect(await checkRows(stored, live())).toEqual([expect.stringContaining(fault)])
  })
})
