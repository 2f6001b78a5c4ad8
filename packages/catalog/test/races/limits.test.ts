import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { anObject, SENDER } from '../data-set-under-test.ts'
import { describeRaces, RacingDataSet, SESSIONS, times } from './race-database.ts'

describeRaces('at a limit of one owner', (database) => {
  const owner = randomUUID()
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'taken',
      (error: { code: string }) => error.code,
    )
  const allowed = 5
  const refused = SESSIONS - allowed
  const countOf = (codes: readonly string[], code: string) => codes.filter((one) => one === code).length

  test('uploads to datasets of their own take exactly what is allowed', async () => {
    await database.call('configure_limits', {
      p_caller: { operator: true },
      p_owner: owner,
      p_settings: { datasets: allowed },
    })
    const codes = await Promise.all(
      times(SESSIONS, () =>
        codeOf(
          database.call('register_upload', {
            p_dataset_id: `ds-${randomUUID()}`,
            p_caller: { user: owner },
            p_object: anObject([{}]),
            p_sender: SENDER,
          }),
        ),
      ),
    )
    expect([countOf(codes, 'taken'), countOf(codes, 'PT402')]).toEqual([allowed, refused])
    expect(await database.query('select datasets, live_files from owner_usage where owner_id = $1', owner)).toEqual([
      { datasets: allowed, live_files: allowed },
    ])
  })

  test('streams take exactly the places there are', async () => {
    const follower = randomUUID()
    await database.call('configure_limits', {
      p_caller: { operator: true },
      p_owner: follower,
      p_settings: { eventStreams: allowed },
    })
    const open = () =>
      database.call('open_event_stream', { p_owner: follower, p_stream_id: randomUUID(), p_lease_seconds: 60 })
    const codes = await Promise.all(times(SESSIONS, () => codeOf(open())))
    expect([countOf(codes, 'taken'), countOf(codes, 'PT429')]).toEqual([allowed, refused])
  })

  test('uploads, merges, redrives and the removal of history wait for each other in one order', async () => {
    const datasets = await Promise.all(
      times(4, async () => {
        const dataset = new RacingDataSet(database)
        await dataset.upload([{}, {}])
        return dataset
      }),
    )
    await database.query("update jobs set finished_at = now() - interval '1 year' where finished_at is not null")
    const calls = times(SESSIONS, (index) => async () => {
      const dataset = datasets[index % datasets.length]!
      if (index % 4 === 0) return codeOf(database.call('trim_history', { p_limit: 100 }))
      if (index % 4 === 1) return codeOf(database.call('tally_jobs', { p_limit: 100 }))
      return codeOf(dataset.upload([{}]))
    })
    for (let round = 0; round < 10; round++) {
      const codes = await Promise.all(calls.map((call) => call()))
      expect(codes.filter((code) => code === '40P01')).toEqual([])
    }
    const [wrong] = await database.query<{ count: number }>(
      `select count(*)::int from owner_usage u where u.live_files <> (
         select count(*) from files f join datasets d on d.id = f.dataset_id
         where d.owner_id = u.owner_id and f.removed_version is null
       )`,
    )
    expect(wrong).toEqual({ count: 0 })
  })
})
