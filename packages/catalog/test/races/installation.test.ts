import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeRaces, RacingDataSet, SESSIONS, times } from './race-database.ts'

describeRaces('many crons at once', (database) => {
  const ids = async () =>
    (await database.query<{ id: string; stamp: number }>('select id, stamp from installation'))[0]!
  const check = (look: object) => database.call('check_installation', { p_bucket: look })

  test('raise the stamp once a minute, and all are paired', async () => {
    const { id, stamp } = await ids()
    const answers = await Promise.all(times(SESSIONS, () => check({ id, stamp })))
    for (const answer of answers) expect(answer).toMatchObject({ outcome: 'paired', stamp: stamp + 1 })
    expect(answers.filter(({ write }) => write)).toHaveLength(1)
  })

  test('take over a foreign bucket once', async () => {
    const foreign = { id: randomUUID(), stamp: 5 }
    await check(foreign)
    const accept = () =>
      database.call('accept_installation', {
        p_caller: { operator: true },
        p_problem: 'foreign_bucket',
        p_bucket: foreign,
      })
    const answers = await Promise.all(times(SESSIONS, accept))
    expect(answers.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1)
    expect(await ids()).toMatchObject({ id: foreign.id })
  })

  test('record a page of the sweep once, and mark each suspect once', async () => {
    const keys = times(5, (i) => `lost/${i}`)
    const record = (round: number) =>
      database.call('record_sweep_page', {
        p_name: 'orphans',
        p_round: round,
        p_cursor: null,
        p_next_cursor: null,
        p_objects: 1000,
        p_keys: keys,
        p_pause_seconds: 0,
      })
    await database.call('begin_sweep', { p_name: 'orphans' })
    for (const round of [1, 2]) {
      const answers = await Promise.all(times(SESSIONS, () => record(round)))
      expect(answers.filter(({ outcome }) => outcome === 'recorded')).toHaveLength(1)
      await database.query("update orphan_suspects set first_seen_at = first_seen_at - interval '7 hours'")
    }
    const mark = () => database.call<number>('mark_orphans', { p_name: 'orphans', p_limit: 2 })
    const marked = await Promise.all(times(SESSIONS, mark))
    expect(marked.reduce((sum, count) => sum + count, 0)).toBe(keys.length)
    expect((await database.query('select 1 from garbage where r2_key = any ($1)', keys)).length).toBe(keys.length)
  })

  test('adopt an object once while uploads go on', async () => {
    const dataset = new RacingDataSet(database)
    await dataset.upload([{}])
    const { scan } = await database.call<{ scan: string }>('begin_adoption')
    const object = {
      r2Key: `datasets/${dataset.id}/uploads/${randomUUID()}`,
      offset: 0,
      known: false,
      datasetId: dataset.id,
      table: 'ships',
      periodTag: '0',
      ownerId: dataset.owner,
      length: 100,
      rows: 7,
      rowGroups: 1,
      sha256: 'a'.repeat(64),
      fingerprint: 'schema-1',
      level: 0,
    }
    await database.call('note_adoption_objects', { p_scan: scan, p_objects: JSON.stringify([object]) })
    const adopt = () => database.call('adopt_dataset', { p_scan: scan, p_after: null, p_limit: 10, p_dry_run: false })
    await database.lineUp(
      dataset.id,
      times(SESSIONS, (i) => (i % 2 === 0 ? adopt : () => dataset.upload([{}]))),
    )
    expect(await dataset.state()).toMatchObject({ rows: 10 + 7 + (SESSIONS / 2) * 10, files: 2 + SESSIONS / 2 })
  })
})
