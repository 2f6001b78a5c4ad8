import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { anOutput, LEASE_SECONDS } from '../data-set-under-test.ts'
import { describeRaces, RacingDataSet, SESSIONS, times } from './race-database.ts'

const RULES = {
  deadLettersWindowSeconds: 3600,
  failureWindowSeconds: 3600,
  failureRatio: 1,
  failureMinJobs: 1_000_000,
  waitingBoundSeconds: 86_400,
  triggerBoundSeconds: 86_400,
  silenceSeconds: 3600,
  quietSeconds: 0,
}

describeRaces('operating', (database) => {
  const raise = (rules: object, sender: string) =>
    database.call<{ changes: object[]; outbox: object[] }>('raise_alerts', {
      p_rules: { ...RULES, ...rules },
      p_channels: ['slack', 'pagerduty'],
      p_sender: sender,
    })

  test('sixteen looks at the same trouble tell each channel once, and sixteen at its end once more', async () => {
    await database.query(
      "insert into dead_letters (queue, message_id, body, code, message, attempts) values ('q', $1, '{}', 'c', 'm', 1)",
      randomUUID(),
    )
    for (const [rules, action] of [
      [{}, 'trigger'],
      [{ deadLettersWindowSeconds: 0 }, 'resolve'],
    ] as const) {
      const answers = await Promise.all(times(SESSIONS, (i) => raise(rules, `look ${i}`)))
      expect(answers.flatMap(({ changes }) => changes)).toHaveLength(1)
      const messages = await database.query<{ type: string }>(
        "select type from outbox where payload ->> 'action' = $1 order by type",
        action,
      )
      expect(messages).toEqual([{ type: 'alert.pagerduty' }, { type: 'alert.slack' }])
    }
  })

  test('sixteen tallies count each job once, while jobs end', async () => {
    const datasets = times(40, () => new RacingDataSet(database))
    const end = async (dataset: RacingDataSet) => {
      await dataset.upload()
      await dataset.finish(await dataset.start())
    }
    const tally = () => database.call<number>('tally_jobs', { p_limit: 3 })
    await Promise.all(datasets.slice(0, 20).map(end))
    await Promise.all([...datasets.slice(20).map(end), ...times(SESSIONS, tally)])
    while ((await tally()) > 0);
    const [counted] = await database.query<{ jobs: number; tallied: number }>(
      `select (select sum(jobs) from job_totals where state = 'succeeded')::bigint as jobs,
         (select count(*) from jobs where tallied) as tallied`,
    )
    expect(counted).toEqual({ jobs: 40, tallied: 40 })
  })

  test('an upload in parts that is swapped in while vacuum closes it stays', async () => {
    const dataset = new RacingDataSet(database)
    await dataset.upload([{}, {}])
    const attempt = await dataset.start()
    await dataset.plan(attempt)
    const output = anOutput(20)
    const fence = { p_job_id: attempt.jobId, p_attempt: attempt.attempt }
    await database.call('open_multipart', { ...fence, p_r2_key: output.r2Key, p_upload_id: 'u' })
    await database.query("update multipart_uploads set created_at = now() - interval '2 days'")
    const commit = () =>
      database.call('commit_merge', { ...fence, p_index: 1, p_output: output, p_lease_seconds: LEASE_SECONDS })
    const close = async () => ({ outcome: String(await database.call('close_multiparts', { p_keys: [output.r2Key] })) })
    const [committed] = await database.lineUp(dataset.id, [commit, ...times(SESSIONS - 1, () => close)])
    expect(committed).toMatchObject({ outcome: 'committed' })
    expect(await database.call('claim_garbage', { p_limit: 100 })).not.toContain(output.r2Key)
  })
})
