import { AN_OPERATOR, asUser, MAX_FILE_WORK_BYTES } from '@fusou/catalog'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planCompaction } from '../src/workflow/plan-compaction.ts'
import { newDatasetId, newUserId } from './fragments.ts'
import { catalog } from './test-env.ts'

// The database says whether there is work, the planner finds it: neither may see what the other does not.

const TARGET = 10_000
/** A bound for a machine under load, not an expectation. */
const WITHIN_MS = 240_000
const hex64 = () => crypto.randomUUID().replaceAll('-', '').repeat(2)

class DataSet {
  readonly id = newDatasetId()
  readonly #user = newUserId()
  readonly #workOfByte: number

  constructor(workOfByte: number) {
    this.#workOfByte = workOfByte
  }

  async upload(slices: readonly { bytes: number; table: string }[]): Promise<void> {
    let offset = 0
    const object = {
      r2Key: `datasets/any/uploads/${crypto.randomUUID()}`,
      slices: slices.map(({ bytes, table }) => {
        const workBytes = bytes * this.#workOfByte
        const slice = { table, periodTag: '0', offset, length: bytes, rows: 1, rowGroups: 1, workBytes }
        offset += bytes
        return { ...slice, sha256: hex64(), fingerprint: 'schema' }
      }),
    }
    await catalog.registerUpload({ datasetId: this.id, requester: asUser(this.#user), object, sender: 'test' })
  }

  /** Nothing is due by itself: the successors that come have a full tier as their reason. */
  async configure(): Promise<void> {
    await catalog.configureDataset(this.id, AN_OPERATOR, {
      targetFileBytes: TARGET,
      mergeMinFiles: 1e6,
      mergeMaxAgeSeconds: 1e6,
    })
  }

  async needsCompaction(): Promise<boolean> {
    return (await catalog.jobStatus(asUser(this.#user))).datasetsWaiting > 0
  }

  async levels(): Promise<number[]> {
    const page = await catalog.listFiles({ datasetId: this.id, requester: AN_OPERATOR, limit: 1000 })
    if (page.outcome !== 'ok') throw new Error(page.outcome)
    return page.files.map((file) => file.level)
  }

  /** A whole job, with outputs as large as their inputs. @returns how many merges */
  async compact(
    jobId: string | undefined,
    priority: 'manual' | 'scheduled',
  ): Promise<{ merges: number; next?: string }> {
    const message = { datasetId: this.id, priority, ...(jobId !== undefined && { jobId }) }
    const attempt = await catalog.acceptMessage(crypto.randomUUID(), message, 60)
    if (attempt.outcome !== 'claimed') throw new Error(attempt.outcome)
    const { merges, more } = await planCompaction(catalog, attempt)
    for (let index = 1; index <= merges; index++) {
      const opened = await catalog.openMerge(attempt, index, { leaseSeconds: 60 })
      if (opened.outcome !== 'ok') throw new Error(opened.outcome)
      const sum = (what: 'length' | 'rows') => opened.inputs.reduce((total, input) => total + input[what], 0)
      const bytes = sum('length')
      const workBytes = bytes * this.#workOfByte
      const output = { bytes, workBytes, rows: sum('rows'), rowGroups: 1, sha256: hex64(), fingerprint: 'schema' }
      const r2Key = `datasets/any/merged/${crypto.randomUUID()}`
      expect((await catalog.commitMerge(attempt, index, { ...output, r2Key }, 60)).outcome).toBe('committed')
    }
    const end = await catalog.finishJob(attempt, { result: {}, more, sender: 'test' })
    expect(end.outcome).toBe('succeeded')
    const next = end.outbox[0]?.payload.jobId as string | undefined
    return { merges, ...(next !== undefined && { next }) }
  }
}

/** Work never bounds a merge, sometimes does before its bytes do, and mostly does. */
const worksOfByte = fc.constantFrom(
  1,
  Math.floor((MAX_FILE_WORK_BYTES * 2) / TARGET),
  Math.floor((MAX_FILE_WORK_BYTES * 9) / TARGET),
)

const batches = fc.array(
  fc.array(
    fc.record({
      bytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: TARGET })),
      table: fc.constantFrom('a', 'b'),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  { minLength: 1, maxLength: 10 },
)

test('the database and the planner have one bound on the work of a small file', async () => {
  const user = newUserId()
  const answers = []
  for (const workBytes of [MAX_FILE_WORK_BYTES - 1, MAX_FILE_WORK_BYTES]) {
    const datasetId = newDatasetId()
    for (const r2Key of [crypto.randomUUID(), crypto.randomUUID()]) {
      const slice = { table: 't', periodTag: '0', offset: 0, length: 1, rows: 1, rowGroups: 1, fingerprint: 'schema' }
      const object = { r2Key, slices: [{ ...slice, sha256: hex64(), workBytes }] }
      await catalog.registerUpload({ datasetId, requester: asUser(user), object, sender: 'test' })
    }
    const message = { datasetId, priority: 'manual' as const }
    const attempt = await catalog.acceptMessage(crypto.randomUUID(), message, 60)
    if (attempt.outcome !== 'claimed') throw new Error(attempt.outcome)
    answers.push((await planCompaction(catalog, attempt)).merges)
  }
  expect(answers).toEqual([1, 0])
})

test(
  'a job that the database asks for merges something, and after it and its successors nothing is left to ask for',
  async () => {
    await fc.assert(
      fc.asyncProperty(batches, worksOfByte, async (arrivals, workOfByte) => {
        const dataset = new DataSet(workOfByte)
        let uploads = 0
        for (const slices of arrivals) {
          await dataset.upload(slices)
          if (uploads === 0) await dataset.configure()
          uploads += slices.length
          let next: string | undefined
          for (let needed = await dataset.needsCompaction(); needed; needed = await dataset.needsCompaction()) {
            const done = await dataset.compact(next, 'scheduled')
            expect(done.merges).toBeGreaterThan(0)
            // what a job leaves, it leaves to a successor
            expect(done.next !== undefined).toBe(await dataset.needsCompaction())
            next = done.next
          }
          expect((await dataset.compact(undefined, 'scheduled')).merges).toBe(0)
          expect(Math.max(...(await dataset.levels()))).toBeLessThanOrEqual(1 + Math.log2(uploads) / 3 + 1e-9)
        }
        await dataset.compact(undefined, 'manual')
        expect(await dataset.needsCompaction()).toBe(false)
        expect((await dataset.compact(undefined, 'manual')).merges).toBe(0)
      }),
      { numRuns: 4, endOnFailure: true },
    )
  },
  WITHIN_MS,
)
