import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { anObject, LARGE_FILE_BYTES } from '../data-set-under-test.ts'
import { describeRaces, RacingDataSet, SESSIONS, tally, times } from './race-database.ts'

describeRaces('on one dataset', (database) => {
  const newDataSet = () => new RacingDataSet(database)
  const garbage = async (keys: readonly string[]) =>
    (await database.query('select 1 from garbage where r2_key = any ($1)', keys)).length

  async function planned(files = 2) {
    const dataset = newDataSet()
    await dataset.upload(times(files, () => ({})))
    const attempt = await dataset.start()
    const ids = await dataset.plan(attempt)
    return { dataset, attempt, ids, rows: files * 10 }
  }

  test('of many swaps of one merge exactly one is committed', async () => {
    const { dataset, attempt, rows } = await planned()
    const before = await dataset.state()
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => () => dataset.commit(attempt, rows)),
    )
    expect(tally(answers)).toEqual({ committed: 1, superseded: SESSIONS - 1 })
    expect(await dataset.state()).toMatchObject({ version: before.version + 1, rows, files: 1 })
  })

  test('of two merges with an input in common exactly one is committed', async () => {
    const dataset = newDataSet()
    await dataset.upload([{}, {}, {}])
    const attempt = await dataset.start()
    const { files } = await database.call<{ files: { id: string }[] }>('list_mergeable_files', {
      p_job_id: attempt.jobId,
      p_attempt: attempt.attempt,
      p_max_files: 10,
    })
    const [a, b, c] = files.map((file) => file.id)
    await database.call('save_plan', {
      p_job_id: attempt.jobId,
      p_attempt: attempt.attempt,
      p_merges: JSON.stringify([
        [a, b],
        [b, c],
      ]),
    })
    const answers = await database.lineUp(dataset.id, [
      () => dataset.commit(attempt, 20, 1),
      () => dataset.commit(attempt, 20, 2),
    ])
    expect(tally(answers)).toEqual({ committed: 1, conflict: 1 })
    expect(await dataset.state()).toMatchObject({ rows: 30, files: 2 })
  })

  test('a swap and the attempt that replaces it: whichever comes second is refused', async () => {
    for (const swapFirst of [true, false]) {
      const { dataset, attempt, rows } = await planned()
      const calls = [() => dataset.commit(attempt, rows), () => dataset.fail(attempt)]
      const answers = await database.lineUp(dataset.id, swapFirst ? calls : calls.reverse())
      const { outcome } = answers[swapFirst ? 0 : 1]!
      expect(['committed', 'stale_attempt']).toContain(outcome)
      expect(await dataset.state()).toMatchObject({ rows, files: outcome === 'committed' ? 1 : 2 })
      const [job] = await dataset.jobs('running')
      expect(job!.attempt).toBe(2)
    }
  })

  test('uploads during a swap are all kept, each in a version of its own, and are seen after it', async () => {
    for (const swapAt of [0, 7, SESSIONS - 1]) {
      const { dataset, attempt, rows } = await planned()
      const before = await dataset.state()
      const upload = () => dataset.upload()
      const swap = () => dataset.commit(attempt, rows, 1, { bytes: LARGE_FILE_BYTES })
      const answers = await database.lineUp(
        dataset.id,
        times(SESSIONS, (i) => (i === swapAt ? swap : upload)),
      )
      expect(tally(answers)).toEqual({ committed: 1, stored: SESSIONS - 1 })
      const versions = answers.map((answer) => answer.version as number).sort((a, b) => a - b)
      expect(versions).toEqual(times(SESSIONS, (i) => before.version + 1 + i))
      expect(await dataset.state()).toMatchObject({
        version: before.version + SESSIONS,
        compaction_needed: true,
        rows: rows + (SESSIONS - 1) * 10,
        files: SESSIONS,
      })
      await dataset.finish(attempt)
      expect(await dataset.state()).toMatchObject({ compaction_needed: true })
    }
  })

  test('one message delivered many times starts one attempt, of which all others are told', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.uploadAndTrigger()
    const id = randomUUID()
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, (i) => () => dataset.deliver(i % 2 === 0 ? id : randomUUID(), jobId as string)),
    )
    expect(tally(answers)).toEqual({ claimed: 1, running: SESSIONS - 1 })
    expect(new Set(answers.map((answer) => `${answer.jobId} ${answer.attempt}`))).toEqual(new Set([`${jobId} 1`]))
  })

  test('one hand-sent message delivered many times makes one job', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.finish(await dataset.start())
    const id = randomUUID()
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => () => dataset.deliver(id)),
    )
    expect(tally(answers)).toEqual({ claimed: 1, running: SESSIONS - 1 })
    expect(new Set(answers.map((answer) => `${answer.jobId} ${answer.attempt}`)).size).toBe(1)
    expect([await dataset.jobs('queued'), await dataset.jobs('running')]).toMatchObject([[], { length: 1 }])
  })

  test('many hand-sent messages make one running and one queued job', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.finish(await dataset.start())
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => () => dataset.deliver(randomUUID())),
    )
    expect(tally(answers)).toEqual({ claimed: 1, waiting: SESSIONS - 1 })
    expect([await dataset.jobs('queued'), await dataset.jobs('running')]).toMatchObject([{ length: 1 }, { length: 1 }])
  })

  test('many triggers of an idle dataset make one queued job with one message', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.finish(await dataset.start())
    const triggers = [() => dataset.trigger(), () => dataset.upload()]
    await database.call('configure_dataset', {
      p_dataset_id: dataset.id,
      p_caller: { operator: true },
      p_settings: { mergeMaxAgeSeconds: 0 },
    })
    await database.lineUp(
      dataset.id,
      times(SESSIONS, (i) => triggers[i % 2]!),
    )
    const [queued, ...others] = await dataset.jobs('queued')
    expect(others).toEqual([])
    expect(queued).toMatchObject({ triggers: SESSIONS, attempt: 0 })
    expect(await dataset.openMessages(queued!.id)).toBe(1)
  })

  test('many rounds at once make one queued job with one message', async () => {
    const datasets = times(4, newDataSet)
    for (const dataset of datasets) {
      await dataset.upload([{}, {}])
      await dataset.fail(await dataset.start(), false)
    }
    const round = () => database.call('trigger_scheduled', { p_limit: 10, p_sender: 'x' })
    await Promise.all(times(SESSIONS, round))
    for (const dataset of datasets) {
      const queued = await dataset.jobs('queued')
      expect(queued).toHaveLength(1)
      expect(await dataset.openMessages(queued[0]!.id)).toBe(1)
    }
  })

  test('triggers at the end of a job leave exactly one successor, with exactly one message', async () => {
    for (const endAt of [0, 5, SESSIONS - 1]) {
      for (const end of ['finish', 'fail'] as const) {
        const dataset = newDataSet()
        await dataset.upload()
        const attempt = await dataset.start()
        const ending = () => (end === 'finish' ? dataset.finish(attempt) : dataset.fail(attempt, false))
        await database.lineUp<unknown>(
          dataset.id,
          times(SESSIONS, (i) => (i === endAt ? ending : () => dataset.trigger())),
        )
        const queued = await dataset.jobs('queued')
        expect(queued).toMatchObject([{ triggers: SESSIONS - 1 }])
        expect(await dataset.openMessages(queued[0]!.id)).toBe(1)
        expect(await dataset.jobs('running')).toEqual([])
      }
    }
  })

  test('many rescuers of one attempt start one new attempt, with one message', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const attempt = await dataset.start()
    await database.query("update outbox set status = 'published', locked_by = null, locked_until = null")
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => () => dataset.fail(attempt)),
    )
    expect(tally(answers)).toEqual({ retrying: 1, stale_attempt: SESSIONS - 1 })
    expect(await dataset.jobs('running')).toMatchObject([{ attempt: 2 }])
    expect(await dataset.openMessages(attempt.jobId)).toBe(1)
  })

  test('a cancellation and the swap it meets: all of the swap, or nothing of it', async () => {
    for (const swapFirst of [true, false]) {
      const { dataset, attempt, rows } = await planned()
      const calls = [
        () => dataset.commit(attempt, rows),
        () => database.call('cancel_job', { p_job_id: attempt.jobId, p_caller: { operator: true } }),
      ]
      const answers = await database.lineUp(dataset.id, swapFirst ? calls : calls.reverse())
      const { outcome } = answers[swapFirst ? 0 : 1]!
      expect(['committed', 'cancelled']).toContain(outcome)
      expect(await dataset.state()).toMatchObject({ rows, files: outcome === 'committed' ? 1 : 2 })
    }
  })

  test('one content uploaded many times is stored once, the other objects are garbage', async () => {
    const dataset = newDataSet()
    const objects = times(SESSIONS, () => anObject([{ content: 'same' }]))
    const answers = await Promise.all(objects.map((object) => dataset.upload([], dataset.owner, object)))
    expect(tally(answers)).toEqual({ stored: 1, duplicate: SESSIONS - 1 })
    expect(await dataset.state()).toMatchObject({ version: 1, files: 1, rows: 10 })
    expect(await garbage(objects.map((object) => object.r2Key))).toBe(SESSIONS - 1)
  })

  test('one upload told many times is one file and no garbage', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    const answers = await Promise.all(times(SESSIONS, () => dataset.upload([], dataset.owner, object)))
    expect(tally(answers)).toEqual({ stored: SESSIONS })
    expect(await dataset.state()).toMatchObject({ version: 1, files: 2 })
    expect(await garbage([object.r2Key])).toBe(0)
  })

  test('first uploads by many users make one owner, and keep nothing of the others', async () => {
    const dataset = newDataSet()
    const users = times(SESSIONS, () => randomUUID())
    const answers = await Promise.all(users.map((user) => dataset.upload([{}], user)))
    expect(tally(answers)).toEqual({ stored: 1, unknown_dataset: SESSIONS - 1 })
    const owner = users[answers.findIndex((answer) => answer.outcome === 'stored')]
    expect(await dataset.state()).toMatchObject({ owner_id: owner, files: 1, version: 1 })
  })

  test('one content whose bytes are lost is healed once by many uploads, the other objects are garbage', async () => {
    const dataset = newDataSet()
    const lost = anObject([{ content: 'same' }])
    await dataset.upload([], dataset.owner, lost)
    const objects = times(SESSIONS, () => anObject([{ content: 'same' }]))
    const answers = await database.lineUp(
      dataset.id,
      objects.map((object) => () => dataset.upload([], dataset.owner, object, { broken: true })),
    )
    // those that looked after the first was healed found its object, and took its place in their turn
    const { healed = 0, duplicate = 0 } = tally(answers)
    expect(healed + duplicate).toBe(SESSIONS)
    expect(healed).toBeGreaterThan(0)
    expect(await dataset.state()).toMatchObject({ version: 1 + healed, files: 1, rows: 10 })
    expect(await garbage([lost, ...objects].map((object) => object.r2Key))).toBe(SESSIONS)
  })

  test('one file replaced by many uploads at once goes once, and each of them is stored', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const [old] = await database.query<{ id: string }>('select id from files where dataset_id = $1', dataset.id)
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => () => dataset.upload([{}], dataset.owner, anObject([{}]), { replaces: old!.id })),
    )
    expect(tally(answers)).toEqual({ stored: SESSIONS })
    expect(await dataset.state()).toMatchObject({ version: 1 + SESSIONS, files: SESSIONS })
  })

  test('a swap and the discard of an input of it: whichever comes second finds the file gone', async () => {
    for (const swapFirst of [true, false]) {
      const { dataset, attempt, ids, rows } = await planned()
      const discard = () => database.call('discard_file', { p_file_id: ids[0], p_caller: { operator: true } })
      const swap = () => dataset.commit(attempt, rows)
      const answers = await database.lineUp(dataset.id, swapFirst ? [swap, discard] : [discard, swap])
      const outcomes = (swapFirst ? answers : answers.reverse()).map(({ outcome }) => outcome)
      const swapped = outcomes[0] === 'committed'
      expect(outcomes).toEqual(swapped ? ['committed', 'file_superseded'] : ['conflict', 'discarded'])
      expect(await dataset.state()).toMatchObject(swapped ? { rows, files: 1 } : { rows: rows - 10, files: 1 })
    }
  })

  test('inputs set aside by many tries at once are counted once', async () => {
    const { dataset, attempt, ids } = await planned(4)
    const [file] = await database.query<{ r2_key: string }>('select r2_key from files where id = $1', ids[0])
    const fault = { fileId: ids[0], r2Key: file!.r2_key, code: 'corrupt_file', message: 'no' }
    const setAside = () =>
      database.call<{ outcome: string; setAside: number }>('set_aside_inputs', {
        p_job_id: attempt.jobId,
        p_attempt: attempt.attempt,
        p_index: 1,
        p_faults: JSON.stringify([fault]),
      })
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => setAside),
    )
    expect(answers.reduce((sum, answer) => sum + answer.setAside, 0)).toBe(1)
    const [job] = await database.query('select files_set_aside from jobs where id = $1', attempt.jobId)
    expect(job).toEqual({ files_set_aside: 1 })
  })

  test('one end of an attempt that is told many times is one end for its files', async () => {
    const { dataset, attempt } = await planned(4)
    const fence = { p_job_id: attempt.jobId, p_attempt: attempt.attempt }
    await database.call('open_merge', { ...fence, p_index: 1, p_lease_seconds: 60 })
    const end = () =>
      database.call('fail_attempt', {
        ...fence,
        p_code: 'workflow_ended',
        p_step: 'rescue',
        p_message: 'gone',
        p_transient: true,
        p_lease_seconds: 60,
      })
    const answers = await database.lineUp(
      dataset.id,
      times(SESSIONS, () => end),
    )
    expect(tally(answers)).toEqual({ retrying: 1, stale_attempt: SESSIONS - 1 })
    const suspects = await database.query(
      'select s.ends from suspects s join files f on f.id = s.file_id where f.dataset_id = $1',
      dataset.id,
    )
    expect(suspects).toEqual(times(4, () => ({ ends: 1 })))
  })

  test('one dead letter delivered many times is recorded once', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.uploadAndTrigger()
    const letter = {
      queue: 'dlq',
      messageId: randomUUID(),
      body: null,
      code: 'delivery_failed',
      message: 'no',
      attempts: 4,
      datasetId: dataset.id,
      jobId,
    }
    const record = () => database.call('record_dead_letter', { p_letter: letter })
    expect(
      tally(
        await database.lineUp(
          dataset.id,
          times(SESSIONS, () => record),
        ),
      ),
    ).toEqual({
      recorded: 1,
      duplicate: SESSIONS - 1,
    })
    expect(await dataset.jobs('dead')).toHaveLength(1)
  })

  test('one walk over the bucket has one walker', async () => {
    const walkers = await Promise.all(
      times(SESSIONS, () => database.call<{ due: boolean }>('begin_sweep', { p_name: 'orphans' })),
    )
    expect(walkers.filter((walker) => walker.due)).toHaveLength(1)
  })

  test('a lost message is sent again once by many rescuers', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.uploadAndTrigger()
    await database.query("update outbox set status = 'published', locked_by = null, locked_until = null")
    const rescue = () => database.call<number>('redispatch_stale_jobs', { p_older_seconds: 0, p_limit: 100 })
    await Promise.all(times(SESSIONS, rescue))
    await rescue()
    expect(await dataset.openMessages(jobId as string)).toBe(1)
  })
})
