import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeRaces, RacingDataSet, SESSIONS, tally, times } from './race-database.ts'

const LIMITS = { maxRunningJobs: 5, maxRunningJobsOfOwner: 2, ageingSeconds: 600 }
const OWNERS = 4
const DATA_SETS_OF_OWNER = 6
const ROUNDS = 12

describeRaces('for the slots', (database) => {
  const held = () =>
    database.query<{ owner: string; slots: number }>(
      `select d.owner_id as owner, count(*)::int as slots from jobs j join datasets d on d.id = j.dataset_id
       where j.state = 'running' or (j.state = 'queued' and j.admitted_at is not null) group by 1`,
    )
  async function expectWithinLimits() {
    const slots = (await held()).map((row) => row.slots)
    expect(Math.max(0, ...slots)).toBeLessThanOrEqual(LIMITS.maxRunningJobsOfOwner)
    expect(slots.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(LIMITS.maxRunningJobs)
  }
  const waiting = () =>
    database.query<{ id: string }>("select id from jobs where state = 'queued' and admitted_at is null")

  test('of many that ask at once so many get one as there are, each with one message', async () => {
    await database.call('configure_admission', {
      p_caller: { operator: true },
      p_settings: { ...LIMITS, maxRunningJobsOfOwner: 100 },
    })
    const datasets = times(SESSIONS, () => new RacingDataSet(database))
    for (const dataset of datasets) await dataset.upload([{}, {}])
    await Promise.all(datasets.map((dataset) => dataset.trigger()))
    const jobs = await database.query<{ id: string }>(
      "select id from jobs where state = 'queued' and admitted_at is not null",
    )
    expect(jobs).toHaveLength(LIMITS.maxRunningJobs)
    const messages = await Promise.all(
      datasets.map(async (dataset) => {
        const [job] = await dataset.jobs('queued')
        return dataset.openMessages(job!.id)
      }),
    )
    expect(messages.reduce((a, b) => a + b, 0)).toBe(LIMITS.maxRunningJobs)

    const delivered = await Promise.all(datasets.map((dataset) => dataset.deliver(randomUUID())))
    expect(tally(delivered)).toEqual({ claimed: LIMITS.maxRunningJobs, waiting: SESSIONS - LIMITS.maxRunningJobs })

    const running = delivered.flatMap((answer, i) =>
      answer.outcome === 'claimed'
        ? [{ dataset: datasets[i]!, jobId: answer.jobId as string, attempt: answer.attempt as number }]
        : [],
    )
    await Promise.all(running.map(({ dataset, ...attempt }) => dataset.finish(attempt)))
    expect(await held()).toHaveLength(LIMITS.maxRunningJobs)
    await database.query('truncate outbox, merges, files, jobs, datasets cascade')
  })

  test('everything at once: never more than there are, and in the end every job has had its turn', async () => {
    await database.call('configure_admission', { p_caller: { operator: true }, p_settings: LIMITS })
    const owners = times(OWNERS, () => randomUUID())
    const datasets = times(OWNERS * DATA_SETS_OF_OWNER, (i) => {
      const dataset = new RacingDataSet(database)
      return { dataset, owner: owners[i % OWNERS]! }
    })
    for (const { dataset, owner } of datasets) await dataset.upload([{}, {}], owner)

    /** What the queue and the Workflow do with a job that has a slot. */
    async function work(dataset: RacingDataSet, how: number) {
      const answer = await dataset.deliver(randomUUID())
      if (answer.outcome !== 'claimed') return
      const attempt = { jobId: answer.jobId as string, attempt: answer.attempt as number }
      if (how % 5 === 0) await database.call('cancel_job', { p_job_id: attempt.jobId, p_caller: { operator: true } })
      if (how % 3 === 0) await dataset.fail(attempt, false)
      else await dataset.finish(attempt)
    }
    await Promise.all(
      times(SESSIONS, async (session) => {
        for (let round = 0; round < ROUNDS; round++) {
          const { dataset } = datasets[(session * 7 + round * 5) % datasets.length]!
          const dice = session + round
          if (dice % 4 === 0) await dataset.trigger()
          else if (dice % 11 === 0) await database.call('trigger_scheduled', { p_limit: 5, p_sender: 'x' })
          else if (dice % 13 === 0) await database.call('admit_jobs')
          else if (dice % 7 === 0) {
            const [queued] = await dataset.jobs('queued')
            if (queued) await database.call('cancel_job', { p_job_id: queued.id, p_caller: { operator: true } })
          } else await work(dataset, dice)
          await expectWithinLimits()
        }
      }),
    )

    // then only what has a message goes on, and the cron once in between: nothing is left
    for (let round = 0; (await waiting()).length > 0 || (await held()).length > 0; round++) {
      expect(round).toBeLessThan(datasets.length)
      await database.call('admit_jobs')
      await expectWithinLimits()
      const admitted = await database.query<{ dataset_id: string }>(
        "select dataset_id from jobs where admitted_at is not null and state = 'queued'",
      )
      expect(admitted.length).toBeGreaterThan(0)
      await Promise.all(
        admitted.map(({ dataset_id }) => work(datasets.find(({ dataset }) => dataset.id === dataset_id)!.dataset, 1)),
      )
    }
  })

  test('two that end at once give their slots to two', async () => {
    await database.call('configure_admission', {
      p_caller: { operator: true },
      p_settings: { ...LIMITS, maxRunningJobs: 2 },
    })
    const datasets = times(4, () => new RacingDataSet(database))
    for (const dataset of datasets) await dataset.uploadAndTrigger([{}, {}])
    const [one, two, ...others] = datasets as [RacingDataSet, RacingDataSet, ...RacingDataSet[]]
    const attempts = [await one.start(), await two.start()] as const
    await Promise.all([one.finish(attempts[0]), two.fail(attempts[1], false)])
    expect((await held()).map((row) => row.slots)).toEqual([1, 1])
    for (const dataset of others) expect((await dataset.deliver(randomUUID())).outcome).toBe('claimed')
  })
})
