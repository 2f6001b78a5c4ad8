import { randomUUID } from 'node:crypto'
import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

const database = await ownDatabase()
const { catalog } = database

interface Row {
  status: string
  attempts: number
  locked_by: string | null
  error: string | null
  published_at: string | null
}
const row = async (id: number) =>
  (
    await database.query<Row>('select status, attempts, locked_by, error, published_at from outbox where id = $1', id)
  )[0]
const emit = async (type: 'compaction.requested' | 'job.dead' = 'job.dead', delay = '0') => {
  const [answer] = await database.query<{ emit: { id: number } }>(
    "select fusou.emit($1, $2, jsonb_build_object('text', $2::text), null, $3::interval)",
    type,
    randomUUID(),
    delay,
  )
  return answer!.emit.id
}
const claim = async (
  workerId: string,
  options: { maxBatch?: number; lockSeconds?: number; includeTypePrefix?: string } = {},
) => (await catalog.claimOutbox({ maxBatch: 100, lockSeconds: 60, workerId, ...options })).map((message) => message.id)

beforeEach(async () => {
  await database.query('delete from outbox')
})

describe('a message of the outbox', () => {
  test('is claimed by one worker, whole, and by no other while it is locked', async () => {
    const dataset = new DataSetUnderTest(catalog)
    const { jobId } = await dataset.upload()
    await database.query("update outbox set status = 'pending', locked_by = null, locked_until = null")
    const [message] = await catalog.claimOutbox({ maxBatch: 10, lockSeconds: 60, workerId: 'one' })
    expect(message).toMatchObject({ type: 'compaction.requested', payload: { datasetId: dataset.id, jobId } })
    expect(await claim('two')).toEqual([])
    expect(await claim('one')).toEqual([])
  })

  test('born with a sender is locked by it: the relay does not send it as well', async () => {
    const { outbox } = await new DataSetUnderTest(catalog).upload()
    expect(await claim('relay')).toEqual([])
    expect(await row(outbox!.id)).toMatchObject({ status: 'in_progress', locked_by: SENDER })
    expect(await catalog.completeOutbox([outbox!.id], SENDER)).toBe(1)
    expect(await row(outbox!.id)).toMatchObject({
      status: 'published',
      locked_by: null,
      published_at: expect.any(String),
    })
  })

  test('whose sender died goes to the relay when the lock has run out', async () => {
    const { outbox } = await new DataSetUnderTest(catalog).upload()
    await database.query('update outbox set locked_until = now() where id = $1', outbox!.id)
    await database.nextTick()
    expect(await claim('relay')).toEqual([outbox!.id])
    expect(await row(outbox!.id)).toMatchObject({
      attempts: 1,
      locked_by: 'relay',
      error: expect.stringContaining(SENDER),
    })
    expect(await catalog.completeOutbox([outbox!.id], SENDER)).toBe(0)
  })

  test('is not claimed before its time', async () => {
    const later = await emit('job.dead', '1 hour')
    const now = await emit()
    expect(await claim('one')).toEqual([now])
    expect(await row(later)).toMatchObject({ status: 'pending', attempts: 0 })
  })

  test('is claimed oldest first, a batch at a time', async () => {
    const ids = []
    for (const _ of [1, 2, 3, 4, 5]) ids.push(await emit())
    expect(await claim('one', { maxBatch: 2 })).toEqual(ids.slice(0, 2))
    expect(await claim('two', { maxBatch: 2 })).toEqual(ids.slice(2, 4))
    expect(await claim('one', { maxBatch: 2 })).toEqual(ids.slice(4))
  })
})

describe('a claim', () => {
  test('can be of the types with a prefix, or of all others', async () => {
    const [dead, work] = [await emit('job.dead'), await emit('compaction.requested')]
    const others = async (exclude: string) =>
      (
        await database.query<{ claimed: { id: number }[] }>(
          "select public.claim_outbox(10, 60, 'other', null, $1) as claimed",
          exclude,
        )
      )[0]!.claimed.map((message) => message.id)
    expect(await claim('dlq', { includeTypePrefix: 'job.' })).toEqual([dead])
    expect(await claim('dlq', { includeTypePrefix: 'job.' })).toEqual([])
    expect(await others('compaction.')).toEqual([])
    expect(await others('job.')).toEqual([work])
  })

  test.each([{ maxBatch: 0 }, { maxBatch: 1001 }, { lockSeconds: -1 }, { lockSeconds: 3601 }, { workerId: '' }])(
    'with %j is refused',
    async (bad) => {
      await expect(catalog.claimOutbox({ maxBatch: 1, lockSeconds: 1, workerId: 'one', ...bad })).rejects.toMatchObject(
        { code: 'database_refused' },
      )
    },
  )
})

describe('a message that could not be sent', () => {
  test('is pending again, its failure counted and its error kept', async () => {
    const id = await emit()
    await claim('one')
    expect(await catalog.releaseOutbox([id], 'one', `queue: 500 ${'x'.repeat(2000)}`)).toBe(1)
    const released = await row(id)
    expect(released).toMatchObject({ status: 'pending', attempts: 1, locked_by: null })
    expect(released!.error).toMatch(/^queue: 500 x{989}$/)
    expect(await claim('one')).toEqual([])
  })

  test('waits 1 s doubled for each failure, 60 s at the most, of which jitter takes half at the most', async () => {
    const id = await emit()
    for (let failures = 0; failures < 19; failures++) {
      const [, , released] = await database.transaction<{ seconds: number; attempts: number }>(
        {
          text: "update outbox set status = 'in_progress', locked_by = 'one', locked_until = now() + interval '1 s' where id = $1",
          params: [id],
        },
        { text: "select public.release_outbox(array[$1::bigint], 'one', 'refused')", params: [id] },
        {
          text: 'select attempts, extract(epoch from next_attempt_at - now())::float as seconds from outbox where id = $1',
          params: [id],
        },
      )
      const full = Math.min(60, 2 ** failures)
      expect(released![0]!.attempts).toBe(failures + 1)
      expect(released![0]!.seconds).toBeGreaterThanOrEqual(full / 2)
      expect(released![0]!.seconds).toBeLessThanOrEqual(full)
    }
  })

  test('does not wait as long as its neighbours: the jitter differs', async () => {
    const samples = await database.query<{ s: number }>(
      'select extract(epoch from fusou.backoff(5, 1, 60))::float as s from generate_series(1, 50)',
    )
    expect(new Set(samples.map(({ s }) => s)).size).toBeGreaterThan(40)
  })

  test('twenty times is dead, and nobody claims it again', async () => {
    const id = await emit()
    await database.query('update outbox set attempts = 18 where id = $1', id)
    const due = () =>
      database.query("update outbox set next_attempt_at = now() where id = $1 and status = 'pending'", id)
    await claim('one')
    await catalog.releaseOutbox([id], 'one', 'refused')
    expect(await row(id)).toMatchObject({ status: 'pending', attempts: 19 })
    await due()
    expect(await claim('one')).toEqual([id])
    await catalog.releaseOutbox([id], 'one', 'refused')
    expect(await row(id)).toMatchObject({ status: 'dead', attempts: 20, error: 'refused' })
    expect(await claim('one')).toEqual([])
    expect(await catalog.jobStatus(AN_OPERATOR)).toMatchObject({ outbox: { open: 0, dead: 1 } })
  })
})

describe('a lock that ran out', () => {
  test('counts as a failure, and the message can be claimed by another', async () => {
    const id = await emit()
    await claim('one', { lockSeconds: 0 })
    await database.nextTick()
    expect(await claim('two')).toEqual([id])
    expect(await row(id)).toMatchObject({ status: 'in_progress', attempts: 1, locked_by: 'two' })
  })

  test('for the twentieth time kills the message: a worker that dies of it does not die for ever', async () => {
    const id = await emit()
    for (let deaths = 0; deaths < 20; deaths++) {
      expect(await claim(`worker ${deaths}`, { lockSeconds: 0 })).toEqual([id])
      await database.nextTick()
    }
    expect(await claim('another')).toEqual([])
    expect(await row(id)).toMatchObject({ status: 'dead', attempts: 20 })
  })

  test('has no say any more: its holder can neither complete nor release what another has claimed', async () => {
    const id = await emit()
    await claim('slow', { lockSeconds: 0 })
    await database.nextTick()
    await claim('quick')
    expect(await catalog.completeOutbox([id], 'slow')).toBe(0)
    expect(await catalog.releaseOutbox([id], 'slow', 'late')).toBe(0)
    expect(await row(id)).toMatchObject({ status: 'in_progress', locked_by: 'quick', attempts: 1 })
    expect(await catalog.completeOutbox([id], 'quick')).toBe(1)
    expect(await catalog.releaseOutbox([id], 'quick', 'too late')).toBe(0)
    expect(await row(id)).toMatchObject({ status: 'published' })
  })
})

test('published messages are kept for a week; open and dead ones for good', async () => {
  const ids = [await emit(), await emit(), await emit(), await emit()]
  const [fresh, old] = ids
  await claim('one')
  await catalog.completeOutbox([fresh!, old!], 'one')
  await database.query("update outbox set published_at = now() - interval '7 days 1 second' where id = $1", old!)
  await database.query("update outbox set created_at = now() - interval '1 year'")
  expect(await catalog.trimOutbox(100)).toBe(1)
  const left = await database.query<{ id: number }>('select id from outbox order by id')
  expect(left.map((message) => message.id)).toEqual(ids.filter((id) => id !== old))
})
