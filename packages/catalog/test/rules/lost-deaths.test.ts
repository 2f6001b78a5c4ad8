import { expect, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

const database = await ownDatabase()
const { catalog } = database

async function aDeadJob() {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.upload()
  const attempt = await dataset.start()
  const { outbox } = await dataset.fail(attempt, { transient: false })
  await database.nextTick()
  return { jobId: attempt.jobId, word: outbox.find(({ type }) => type === 'job.dead')! }
}
const words = async () => {
  const open = await catalog.claimOutbox({
    maxBatch: 100,
    lockSeconds: 60,
    workerId: 'relay',
    includeTypePrefix: 'job.',
  })
  return open.map(({ payload }) => payload)
}
const sent = () =>
  database.query("update outbox set status = 'published', published_at = now(), locked_by = null, locked_until = null")

test('word of a dead job that the queue lost is sent again, until its letter is recorded', async () => {
  const { jobId, word } = await aDeadJob()
  expect(await catalog.repeatDeathNotices(0, 10)).toBe(0)
  await sent()
  expect(await catalog.repeatDeathNotices(3600, 10)).toBe(0)
  for (const _ of [1, 2]) {
    expect(await catalog.repeatDeathNotices(0, 10)).toBe(1)
    expect(await catalog.repeatDeathNotices(0, 10)).toBe(0)
    expect(await words()).toEqual([word.payload])
    await sent()
    await database.nextTick()
  }
  const { datasetId, attempt, code, message } = word.payload as Record<'datasetId' | 'code' | 'message', string> & {
    attempt: number
  }
  const letter = { queue: 'dlq', messageId: `${jobId}-${attempt}`, body: word.payload, attempts: attempt }
  await catalog.recordDeadLetter({ ...letter, datasetId, jobId, code, message })
  expect(await catalog.repeatDeathNotices(0, 10)).toBe(0)
})
