import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkRows } from '../src/checks/check-rows.ts'
import type { ResultFile } from '../src/demo/download-result.ts'
import { StampedFiles } from '../src/load/stamped-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusou-load-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

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
