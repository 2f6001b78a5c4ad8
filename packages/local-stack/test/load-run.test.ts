import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { printReport } from '../src/load/print-report.ts'
import { runLoad } from '../src/load/run-load.ts'
import { ProgressLine } from '../src/support/progress-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusou-load-run-'))
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
