import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeRaces, RacingDataSet, SESSIONS, times } from './race-database.ts'

// Calls that lock many rows at once: none may wait for another in a circle (40P01 fails the test).

const ROUNDS = 10
const IN_ORDER_OF_IDS = 'set enable_seqscan = off'
const AS_THE_ROWS_LIE = 'set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off'
const turned = <Item>(items: readonly Item[], by: number): Item[] => [...items.slice(by), ...items.slice(0, by)]

describeRaces('no deadlock', (database) => {
  const keys = times(200, (i) => `lost/${i}`)
  /** Each session with the same things in another order. */
  const eachInItsOrder = <Item>(items: readonly Item[], call: (items: Item[], session: number) => Promise<unknown>) =>
    Promise.all(
      times(SESSIONS, (session) => {
        const from = turned(items, Math.floor((session * items.length) / SESSIONS))
        return call(session % 2 === 0 ? from : from.reverse(), session)
      }),
    )

  test('among walkers over the bucket that find the same orphans', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const found = await eachInItsOrder(keys, (some) =>
        database.call<number>('mark_keys_for_deletion', { p_keys: some }),
      )
      expect((found as number[]).reduce((a, b) => a + b, 0)).toBe(keys.length)
      await database.query('truncate garbage')
    }
  })

  test('among vacuums that deleted the same objects', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await database.call('mark_keys_for_deletion', { p_keys: keys })
      const done = await eachInItsOrder(keys, (some) => database.call<number>('complete_garbage', { p_keys: some }))
      expect((done as number[]).reduce((a, b) => a + b, 0)).toBe(keys.length)
    }
  })

  test('among senders that report the same messages', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await database.query(
        "select fusou.emit('job.dead', gen_random_uuid()::text, '{}', 'one') from generate_series(1, 100)",
      )
      const open = await database.query<{ id: number }>("select id from outbox where status = 'in_progress'")
      const ids = open.map((message) => message.id)
      const settled = await eachInItsOrder(ids, (some, session) =>
        session % 2 === 0
          ? database.call<number>('complete_outbox', { p_ids: some, p_worker_id: 'one' })
          : database.call<number>('release_outbox', { p_ids: some, p_worker_id: 'one', p_error: 'no' }),
      )
      expect((settled as number[]).reduce((a, b) => a + b, 0)).toBe(ids.length)
    }
  })

  test('among senders that report the same messages, whichever way their sessions read the table', async () => {
    const sessions = await Promise.all(times(SESSIONS, () => database.pool.connect()))
    try {
      await Promise.all(sessions.map((session, i) => session.query(i % 2 === 0 ? IN_ORDER_OF_IDS : AS_THE_ROWS_LIE)))
      for (let round = 0; round < ROUNDS; round++) {
        await database.query('truncate outbox')
        await database.query(
          "select fusou.emit('job.dead', gen_random_uuid()::text, '{}', 'one') from generate_series(1, 200)",
        )
        const open = await database.query<{ id: number }>('select id from outbox order by id desc')
        // each row rewritten, the last first: so they lie in the reverse of their order
        for (const { id } of open) await database.query('update outbox set attempts = 0 where id = $1', id)
        const args = { p_ids: open.map(({ id }) => id), p_worker_id: 'one' }
        const settled = await Promise.all(
          sessions.map((session) => database.call<number>('complete_outbox', args, session)),
        )
        expect(settled.reduce((a, b) => a + b, 0)).toBe(open.length)
      }
    } finally {
      for (const session of sessions) session.release(true)
    }
  })

  test('among trimmers of the outbox', async () => {
    await database.query(
      "update outbox set status = 'published', published_at = now() - interval '8 days', locked_by = null, locked_until = null",
    )
    const [{ count } = { count: 0 }] = await database.query<{ count: number }>('select count(*) from outbox')
    const trimmed = await Promise.all(times(SESSIONS, () => database.call<number>('trim_outbox', { p_limit: 10_000 })))
    expect(trimmed.reduce((a, b) => a + b, 0)).toBe(count)
  })

  test('among rescuers of lost messages, rounds, vacuums and those who work on the datasets', async () => {
    const datasets = times(8, () => new RacingDataSet(database))
    for (const dataset of datasets) await dataset.uploadAndTrigger([{}, {}])
    const all = datasets.map((dataset) => dataset.id)
    const restart = async (dataset: RacingDataSet) => {
      const [queued] = await dataset.jobs('queued')
      if (queued === undefined) return void (await dataset.trigger())
      await database.call('cancel_job', { p_job_id: queued.id, p_caller: { operator: true } })
      await dataset.uploadAndTrigger()
    }
    const lose = () =>
      database.query(
        "update outbox set status = 'dead', locked_by = null, locked_until = null where id in (select id from outbox for update skip locked)",
      )
    for (let round = 0; round < ROUNDS; round++) {
      await lose()
      await Promise.all([
        ...times(6, () => database.call('redispatch_stale_jobs', { p_older_seconds: 0, p_limit: 100 })),
        ...times(3, () => database.call('trigger_scheduled', { p_limit: 100, p_sender: randomUUID() })),
        ...times(2, () => database.call('request_due_merges', { p_limit: 100 })),
        ...times(2, () => database.call('admit_jobs')),
        ...times(2, () => database.call('claim_garbage', { p_limit: 100 })),
        ...datasets.map(restart),
      ])
    }
    const doubled = await database.query(
      "select dataset_id from jobs where state = 'queued' and dataset_id = any ($1) group by 1 having count(*) > 1",
      all,
    )
    expect(doubled).toEqual([])
  })

  test('among deletions of all that a user has, of what is too old, and uploads to several datasets of one owner', async () => {
    const [all, aged] = [randomUUID(), randomUUID()]
    const datasets = times(12, (i) => ({ owner: i % 3 === 0 ? aged : all, dataset: new RacingDataSet(database) }))
    const uploads = () => datasets.map(({ owner, dataset }) => dataset.upload([{}], owner))
    await Promise.all(uploads())
    const others = times(12, () => new RacingDataSet(database))
    await Promise.all(others.map((dataset, i) => dataset.upload([{}], [aged, randomUUID()][i % 2]!)))
    const operator = { p_caller: { operator: true } }
    for (const { id } of others)
      await database.call('configure_dataset', { ...operator, p_dataset_id: id, p_settings: { deleteAfterDays: 1 } })
    for (let round = 0; round < ROUNDS; round++) {
      await database.query(
        `with aged as (
           update datasets set data_checked_at = now() - random() * interval '9 days' - interval '1 day'
           where settings ? 'deleteAfterDays' returning id
         )
         update files f set newest_upload_at = now() - interval '2 days' from aged where f.dataset_id = aged.id`,
      )
      await Promise.all([
        ...uploads(),
        ...others.map((dataset, i) => dataset.upload([{}], i % 2 === 0 ? aged : undefined)),
        ...times(2, () => database.call('delete_user_data', { ...operator, p_user_id: all, p_limit: 100 })),
        ...times(3, () => database.call('delete_expired_data', { p_limit: 6 })),
      ])
    }
    const reasons = await database.query<{ reason: string }>('select distinct reason from deletions order by 1')
    expect(reasons.map(({ reason }) => reason)).toEqual(['request', 'retention'])
  })

  test('among redrives of the same dead jobs, rounds and uploads: each job is tried again by one of them', async () => {
    const datasets = times(8, () => new RacingDataSet(database))
    for (let round = 0; round < ROUNDS; round++) {
      const dead: string[] = []
      for (const dataset of datasets) {
        await dataset.upload([{}, {}])
        const { jobId, attempt } = await dataset.start()
        const failure = { p_code: 'internal', p_step: 'x', p_message: 'x', p_transient: false, p_lease_seconds: 60 }
        await database.call('fail_attempt', { p_job_id: jobId, p_attempt: attempt, ...failure })
        dead.push(jobId)
      }
      const filter = { p_job_ids: null, p_dataset_id: null, p_code: 'internal', p_dry_run: false, p_limit: 100 }
      const [redriven] = await Promise.all([
        Promise.all(
          times(6, () =>
            database.call<{ jobs: { jobId: string }[] }>('redrive', {
              p_caller: { operator: true },
              ...filter,
              p_sender: null,
            }),
          ),
        ),
        ...times(2, () => database.call('trigger_scheduled', { p_limit: 100, p_sender: randomUUID() })),
        ...datasets.map((dataset) => dataset.uploadAndTrigger([{}])),
      ])
      const tried = redriven.flatMap(({ jobs }) => jobs.map(({ jobId }) => jobId))
      expect(tried.filter((jobId) => dead.includes(jobId)).sort()).toEqual(dead.sort())
    }
  })

  test.each([
    ['redispatch_stale_jobs', { p_older_seconds: 0, p_limit: 100 }],
    ['trigger_scheduled', { p_limit: 100, p_sender: 'one' }],
    ['request_due_merges', { p_limit: 100 }],
    ['claim_garbage', { p_limit: 100 }],
  ])(
    'for %s, which holds many datasets and so waits for none: it passes over one that is locked',
    async (name, args) => {
      const [locked, free] = times(2, () => new RacingDataSet(database)) as [RacingDataSet, RacingDataSet]
      for (const dataset of [locked, free]) {
        await dataset.upload([{}, {}])
        const attempt = await dataset.start()
        await dataset.plan(attempt)
        await dataset.commit(attempt, 20)
        await dataset.finish(attempt)
        await dataset.upload([{}, {}])
        if (name === 'redispatch_stale_jobs') await dataset.trigger()
        const settings = { retentionSeconds: 0, mergeMaxAgeSeconds: 0 }
        await database.call('configure_dataset', {
          p_dataset_id: dataset.id,
          p_caller: { operator: true },
          p_settings: settings,
        })
      }
      const ids = [locked.id, free.id]
      await database.query(
        "update outbox set status = 'dead', locked_by = null, locked_until = null where payload ->> 'datasetId' = any ($1)",
        ids,
      )
      /** Datasets in which the function left a trace. */
      const touched = async () =>
        (
          await database.query<{ id: string }>(
            `select id from datasets where id = any ($1) and (
             oldest_version > 0
             or exists (select 1 from jobs where dataset_id = datasets.id and priority = 'scheduled')
             or exists (select 1 from outbox where payload ->> 'datasetId' = datasets.id and status = 'pending')
           )`,
            ids,
          )
        ).map((row) => row.id)
      const [holder, caller] = [await database.pool.connect(), await database.pool.connect()]
      try {
        await holder.query('begin')
        await holder.query('select 1 from datasets where id = $1 for update', [locked.id])
        await caller.query("set lock_timeout = '1ms'")
        await database.call(name, args, caller)
        expect(await touched()).toEqual([free.id])
        await holder.query('commit')
        await database.call(name, args, caller)
        expect((await touched()).sort()).toEqual(ids.sort())
      } finally {
        await holder.query('rollback')
        await caller.query('reset lock_timeout')
        holder.release()
        caller.release()
      }
    },
  )
})
