import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { anObject, anOutput, LEASE_SECONDS, type SliceSpec } from '../data-set-under-test.ts'
import { type Answer, describeRaces, SESSIONS, times } from './race-database.ts'

const SEED = 20_261_122
const STEPS_A_SESSION = 120
/** Fewer than datasets, so that jobs wait. */
const SLOTS = 3

interface Attempt {
  readonly dataset: Dataset
  readonly jobId: string
  readonly attempt: number
}

interface Dataset {
  readonly id: string
  readonly owner: string
  /** Vacuum may take what is removed at once. Such a dataset gets each content once, as vacuum forgets contents. */
  readonly shortLived: boolean
  /** Rows of all contents stored, and how many uploads and swaps were told to have made a version. */
  rows: number
  versions: number
  /** What each version was seen to hold. */
  readonly seen: Map<number, string>
}

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

describeRaces('a storm of all functions at once', (database) => {
  const datasets: Dataset[] = times(4, (i) => ({
    id: `storm-${i}`,
    owner: randomUUID(),
    shortLived: i % 2 === 0,
    rows: 0,
    versions: 0,
    seen: new Map(),
  }))
  const attempts: Attempt[] = []
  const jobs: { dataset: Dataset; jobId: string }[] = []
  const objects: { dataset: Dataset; object: ReturnType<typeof anObject> }[] = []
  const outputs: { attempt: Attempt; index: number; output: ReturnType<typeof anOutput> }[] = []
  const committedKeys = new Set<string>()
  const deletedKeys = new Set<string>()
  const discarded = new Set<string>()
  const calls = new Map<string, number>()

  const call = async <Result = Answer>(name: string, args: Record<string, unknown> = {}): Promise<Result> => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    return database.call<Result>(name, args)
  }
  const fence = ({ jobId, attempt }: Attempt) => ({ p_job_id: jobId, p_attempt: attempt })
  const note = (dataset: Dataset, answer: Answer) => {
    if (typeof answer.jobId !== 'string') return
    jobs.push({ dataset, jobId: answer.jobId })
    if (typeof answer.attempt === 'number') attempts.push({ dataset, jobId: answer.jobId, attempt: answer.attempt })
  }

  async function upload(dataset: Dataset, slices: SliceSpec[]) {
    const object = anObject(slices)
    const args = { p_dataset_id: dataset.id, p_caller: { user: dataset.owner }, p_object: object, p_sender: 'storm' }
    let answer = await call<Answer & { copies?: object[] }>('register_upload', args)
    if (answer.outcome === 'check_copies') {
      // every second time the bucket has lost them
      const broken = objects.length % 2 === 0 ? answer.copies : []
      answer = await call('register_upload', { ...args, p_copies: JSON.stringify(broken) })
    }
    objects.push({ dataset, object })
    note(dataset, answer)
    if (answer.outcome === 'stored' || answer.outcome === 'healed') dataset.versions++
    if (answer.outcome === 'stored') dataset.rows += object.slices.reduce((sum, slice) => sum + slice.rows, 0)
  }

  async function commit(attempt: Attempt, index: number, output: ReturnType<typeof anOutput>) {
    const answer = await call('commit_merge', {
      ...fence(attempt),
      p_index: index,
      p_output: output,
      p_lease_seconds: LEASE_SECONDS,
    })
    if (answer.outcome === 'committed' && !committedKeys.has(output.r2Key)) {
      committedKeys.add(output.r2Key)
      attempt.dataset.versions++
    }
    return answer.outcome
  }

  async function plan(attempt: Attempt, perMerge: number): Promise<number> {
    const listed = await call<Answer & { files?: { id: string; table: string }[] }>('list_mergeable_files', {
      ...fence(attempt),
      p_max_files: 20,
    })
    if (listed.files === undefined) return 0
    const merges = [...Map.groupBy(listed.files, (file) => file.table).values()].flatMap((files) =>
      times(Math.floor(files.length / perMerge), (i) =>
        files.slice(i * perMerge, (i + 1) * perMerge).map((file) => file.id),
      ),
    )
    await call('save_plan', { ...fence(attempt), p_merges: JSON.stringify(merges) })
    return merges.length
  }

  /** Rows that the inputs of a merge have, or nothing where there is no such merge. */
  async function rowsOf(attempt: Attempt, index: number): Promise<number | undefined> {
    const opened = await call<Answer & { inputs?: { rows: number }[] }>('open_merge', {
      ...fence(attempt),
      p_index: index,
      p_lease_seconds: LEASE_SECONDS,
    })
    return opened.inputs?.reduce((sum, input) => sum + input.rows, 0)
  }

  const finish = async (attempt: Attempt, more: boolean) =>
    call('finish_job', { ...fence(attempt), p_result: {}, p_more: more, p_sender: 'storm' })

  const deliver = async (dataset: Dataset, jobId: string | null, messageId: string = randomUUID()) => {
    const answer = await call('accept_message', {
      p_message_id: messageId,
      p_dataset_id: dataset.id,
      p_job_id: jobId,
      p_priority: 'manual',
      p_table: null,
      p_period_tag: null,
      p_metric_id: null,
      p_lease_seconds: LEASE_SECONDS,
    })
    note(dataset, answer)
    return answer
  }

  async function read(dataset: Dataset, version: number | null) {
    const answer = await call<Answer & { version: number; files: { id: string; rows: number }[] }>('list_files', {
      p_dataset_id: dataset.id,
      p_caller: { user: dataset.owner },
      p_table: null,
      p_period_tag: null,
      p_version: version,
      p_after_table: null,
      p_after_period: null,
      p_after_id: null,
      p_limit: 10_000,
    })
    if (answer.outcome !== 'ok') return
    const whole = answer.files.map((file) => file.id).join(' ')
    const before = dataset.seen.get(answer.version)
    if (before === undefined) dataset.seen.set(answer.version, whole)
    else if (before !== whole) throw new Error(`version ${answer.version} of ${dataset.id} has changed`)
  }

  function actions(random: () => number) {
    const chance = (probability: number) => random() < probability
    const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)]
    const recent = <Item>(items: readonly Item[]) => pick(items.slice(-6))
    const table = () => `table-${Math.floor(random() * 2)}`
    const rows = () => Math.floor(random() * 1e6)
    const aDataset = () => pick(datasets)!
    const withAttempt = async (act: (attempt: Attempt) => Promise<unknown>) => {
      const attempt = chance(0.9) ? recent(attempts) : pick(attempts)
      if (attempt !== undefined) await act(attempt)
    }
    const work = async (attempt: Attempt) => {
      const merges = await plan(attempt, 2 + Math.floor(random() * 3))
      for (let index = 1; index <= merges; index++) {
        const total = await rowsOf(attempt, index)
        if (total === undefined || chance(0.05)) continue
        const output = anOutput(total)
        outputs.push({ attempt, index, output })
        await commit(attempt, index, output)
      }
      if (chance(0.8)) await finish(attempt, chance(0.2))
    }
    return (): Promise<unknown> => {
      const dataset = aDataset()
      const choices: [number, () => Promise<unknown>][] = [
        [
          10,
          () =>
            upload(
              dataset,
              times(1 + Math.floor(random() * 3), () => ({ table: table(), rows: rows() })),
            ),
        ],
        [
          4,
          () => {
            const lasting = datasets.filter((other) => !other.shortLived)
            const n = Math.floor(random() * 20)
            return upload(pick(lasting)!, [{ content: `again ${n}`, table: 'table-0', rows: 1000 + n }])
          },
        ],
        [
          2,
          async () => {
            const told = recent(objects)
            if (told === undefined || deletedKeys.has(told.object.r2Key)) return
            await call('register_upload', {
              p_dataset_id: told.dataset.id,
              p_caller: { user: chance(0.5) ? told.dataset.owner : randomUUID() },
              p_object: told.object,
              p_sender: 'storm',
            })
          },
        ],
        [
          4,
          async () =>
            note(
              dataset,
              await call('request_compaction', {
                p_dataset_id: dataset.id,
                p_caller: { operator: true },
                p_table: chance(0.5) ? table() : null,
                p_sender: 'storm',
              }),
            ),
        ],
        [
          10,
          async () => {
            const known = chance(0.7) ? recent(jobs) : undefined
            const on = known?.dataset ?? dataset
            const answer = await deliver(
              on,
              known?.jobId ?? null,
              chance(0.5) ? `m-${Math.floor(random() * 30)}` : undefined,
            )
            if (answer.outcome === 'claimed') await work(attempts.at(-1)!)
          },
        ],
        [8, () => withAttempt(work)],
        [
          3,
          async () => {
            const again = recent(outputs)
            if (again !== undefined) await commit(again.attempt, again.index, again.output)
          },
        ],
        [3, () => withAttempt((attempt) => commit(attempt, 1 + Math.floor(random() * 3), anOutput(rows())))],
        [
          3,
          () =>
            withAttempt(async (attempt) => {
              const [input] = await database.query<{ id: string; r2_key: string }>(
                `select f.id, f.r2_key from merges m join files f on f.id = m.input_ids[1]
                 where m.job_id = $1 and m.attempt = $2 and m.index = 1`,
                attempt.jobId,
                attempt.attempt,
              )
              const fault = input && { fileId: input.id, r2Key: input.r2_key, code: 'corrupt_file', message: 'storm' }
              const faults = JSON.stringify(fault && chance(0.5) ? [fault] : [])
              await call('set_aside_inputs', { ...fence(attempt), p_index: 1, p_faults: faults })
            }),
        ],
        [
          2,
          async () => {
            const [file] = await database.query<{ id: string }>(
              'select id from files where quarantine_code is not null and removed_version is null limit 1',
            )
            if (file !== undefined) await call('release_file', { p_file_id: file.id, p_caller: { operator: true } })
          },
        ],
        [1, () => call('acknowledge_files', { p_caller: { operator: true }, p_dataset_id: null, p_code: null })],
        [
          1,
          async () => {
            const [file] = await database.query<{ id: string }>(
              'select id from files where dataset_id = $1 and removed_version is null limit 1',
              dataset.id,
            )
            if (file === undefined) return
            const args = { p_file_id: file.id, p_caller: { operator: true } }
            const answer = await call<Answer & { rows: number }>('discard_file', args)
            if (answer.outcome !== 'discarded' || discarded.has(file.id)) return
            discarded.add(file.id)
            dataset.versions++
            dataset.rows -= answer.rows
          },
        ],
        [
          5,
          () =>
            withAttempt(async (attempt) => {
              const answer = await call('fail_attempt', {
                ...fence(attempt),
                p_code: 'workflow_ended',
                p_step: 'storm',
                p_message: 'storm',
                p_transient: chance(0.7),
                p_lease_seconds: 0,
                p_sender: chance(0.5) ? 'storm' : null,
              })
              note(attempt.dataset, { ...answer, jobId: attempt.jobId })
            }),
        ],
        [4, () => withAttempt((attempt) => finish(attempt, chance(0.3)))],
        [
          2,
          () =>
            withAttempt((attempt) =>
              call('enter_step', { ...fence(attempt), p_step: 'storm', p_lease_seconds: LEASE_SECONDS }),
            ),
        ],
        [
          3,
          async () => {
            const job = recent(jobs)
            if (job !== undefined)
              await call('cancel_job', { p_job_id: job.jobId, p_caller: { user: job.dataset.owner } })
          },
        ],
        [
          3,
          async () => {
            const job = pick(jobs)
            if (job === undefined) return
            const retry = { p_job_id: job.jobId, p_caller: { user: job.dataset.owner }, p_sender: 'storm' }
            note(job.dataset, await call('retry_job', retry))
          },
        ],
        [3, () => call('trigger_scheduled', { p_limit: 1 + Math.floor(random() * 4), p_sender: 'storm' })],
        [
          5,
          async () => {
            const worker = `worker-${Math.floor(random() * 4)}`
            const claimed = await call<{ id: number }[]>('claim_outbox', {
              max_batch: 5,
              lock_seconds: chance(0.3) ? 0 : 60,
              worker_id: worker,
            })
            const ids = claimed.map((message) => message.id)
            if (chance(0.6)) await call('complete_outbox', { p_ids: ids, p_worker_id: worker })
            else await call('release_outbox', { p_ids: ids.reverse(), p_worker_id: worker, p_error: 'storm' })
          },
        ],
        [3, () => call('redispatch_stale_jobs', { p_older_seconds: 0, p_limit: 10 })],
        [3, () => call('request_due_merges', { p_limit: 10 })],
        [2, () => call('admit_jobs')],
        [2, () => call('repeat_death_notices', { p_older_seconds: 0, p_limit: 10 })],
        [
          5,
          async () => {
            const keys = await call<string[]>('claim_garbage', { p_limit: 5 })
            for (const key of keys) deletedKeys.add(key)
            if (chance(0.7)) await call('complete_garbage', { p_keys: keys })
          },
        ],
        [
          4,
          () => {
            const lost = times(8, (i) => `lost/${i}`)
            const named = times(3, () => pick(objects)?.object.r2Key ?? 'lost/none')
            const keys = [...lost, ...named].sort(() => random() - 0.5)
            return call('mark_keys_for_deletion', { p_keys: keys })
          },
        ],
        [
          1,
          () => {
            const job = chance(0.5) ? recent(jobs) : undefined
            return call('record_dead_letter', {
              p_letter: {
                queue: 'storm',
                messageId: `m-${Math.floor(random() * 50)}`,
                body: null,
                code: 'delivery_failed',
                message: 'storm',
                attempts: 4,
                datasetId: job?.dataset.id ?? null,
                jobId: job?.jobId ?? null,
              },
            })
          },
        ],
        [6, () => read(dataset, null)],
        [6, () => read(dataset, pick([...dataset.seen.keys()]) ?? null)],
        [1, () => call('list_expired_leases', { p_limit: 10 })],
        [1, () => call('job_status', { p_caller: { operator: true } })],
        [1, () => call('dead_letter_status', { p_caller: { user: dataset.owner }, p_limit: 5 })],
        [
          1,
          () =>
            call('list_jobs', {
              p_caller: { user: dataset.owner },
              p_state: null,
              p_kind: null,
              p_dataset_id: null,
              p_before_created: null,
              p_before_id: null,
              p_limit: 10,
            }),
        ],
        [
          1,
          () =>
            call('configure_dataset', {
              p_caller: { operator: true },
              p_dataset_id: dataset.id,
              p_settings: {
                retentionSeconds: dataset.shortLived ? 0 : 3600,
                mergeMaxAgeSeconds: chance(0.5) ? 0 : 3600,
              },
            }),
        ],
        [
          1,
          async () => {
            await call('begin_sweep', { p_name: 'storm' })
            const page = { p_round: 1, p_cursor: null, p_next_cursor: null, p_objects: 1, p_keys: ['lost/0'] }
            await call('record_sweep_page', { p_name: 'storm', ...page, p_pause_seconds: 0 })
            await call('mark_orphans', { p_name: 'storm', p_limit: 10 })
          },
        ],
        [1, () => call('trim_outbox', { p_limit: 10 })],
      ]
      let dice = random() * choices.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, act] of choices) {
        dice -= weight
        if (dice < 0) return act()
      }
      return Promise.resolve()
    }
  }

  async function expectSound() {
    const none = async (what: string, text: string, ...params: unknown[]) =>
      expect({ what, rows: await database.query(text, ...params) }).toEqual({ what, rows: [] })
    const stored = await database.query<{ id: string; rows: number; version: number }>(
      `select d.id, d.version, coalesce(sum(f.row_count), 0)::bigint as rows
       from datasets d left join files f on f.dataset_id = d.id and f.removed_version is null
       group by d.id order by d.id`,
    )
    expect(stored).toEqual(datasets.map(({ id, rows, versions }) => ({ id, rows, version: versions })))
    await none(
      'more than one running or queued job',
      `select dataset_id, state from jobs where state in ('running', 'queued') group by 1, 2 having count(*) > 1`,
    )
    await none(
      'a queued job that nothing will start',
      `select j.id from jobs j where j.state = 'queued' and j.admitted_at is not null
         and not exists (select 1 from jobs r where r.dataset_id = j.dataset_id and r.state = 'running')
         and not exists (select 1 from outbox o where o.key = j.id::text and o.status <> 'dead')`,
    )
    await call('admit_jobs')
    const [slots] = await database.query<{ held: number; waiting: number }>(
      `select count(*) filter (where state = 'running' or admitted_at is not null)::int as held,
         count(*) filter (where state = 'queued' and admitted_at is null and not exists (
           select 1 from jobs r where r.dataset_id = j.dataset_id and r.state = 'running'
         ))::int as waiting
       from jobs j where state in ('queued', 'running')`,
    )
    expect(slots!.held).toBeLessThanOrEqual(SLOTS)
    expect(slots!.held === SLOTS || slots!.waiting === 0).toBe(true)
    await none('garbage that a file names', 'select r2_key from garbage join files using (r2_key)')
    await none('a file whose object is deleted', 'select id from files where r2_key = any ($1)', [...deletedKeys])
    await none(
      'a file of a version that is not there yet',
      `select f.id from files f join datasets d on d.id = f.dataset_id
       where greatest(f.created_version, f.removed_version) > d.version`,
    )
    await none(
      'a content stored twice',
      `select content_sha256 from files where level = 0 and not discarded
       group by dataset_id, table_name, period_tag, content_sha256 having count(*) > 1`,
    )
    await none(
      'a job whose numbers are not those of its swaps',
      `select j.id from jobs j left join merges m on m.job_id = j.id and m.state = 'committed'
       group by j.id having j.files_out <> count(m.*) or j.rows_in <> coalesce(sum(m.rows_in), 0) or j.rows_in <> j.rows_out`,
    )
    await none(
      'a need for compaction that is not so',
      `select d.id from datasets d where compaction_needed <> coalesce((
         select bool_or(fusou.tier_is_full(0, g.fresh) or g.upper_tier_full) from fusou.small_groups(d.id) g
       ), false)
         and not exists (select 1 from jobs r where r.dataset_id = d.id and r.state = 'running')`,
    )
  }

  test(`leaves everything in order (seed ${SEED}, ${SESSIONS} sessions, ${STEPS_A_SESSION} steps each)`, async () => {
    for (const dataset of datasets) {
      await upload(dataset, [{ rows: 1 }])
      const settings = { retentionSeconds: dataset.shortLived ? 0 : 3600 }
      await call('configure_dataset', { p_dataset_id: dataset.id, p_caller: { operator: true }, p_settings: settings })
    }
    await database.call('configure_admission', { p_caller: { operator: true }, p_settings: { maxRunningJobs: SLOTS } })
    const session = async (number: number) => {
      const act = actions(seeded(SEED + number))
      for (let step = 0; step < STEPS_A_SESSION; step++) await act()
    }
    // a deadlock, or any other error of the database, ends the test here
    await Promise.all(times(SESSIONS, session))
    await expectSound()
    expect(calls.size).toBeGreaterThanOrEqual(30)
    expect(committedKeys.size).toBeGreaterThan(20)
    expect(deletedKeys.size).toBeGreaterThan(20)

    // then the sun comes out: every job runs to its end
    await database.call('configure_admission', { p_caller: { operator: true }, p_settings: { maxRunningJobs: 100 } })
    for (const dataset of datasets) {
      for (;;) {
        const [live] = await database.query<{ id: string; attempt: number; state: string }>(
          "select id, attempt, state from jobs where dataset_id = $1 and state in ('running', 'queued') order by state desc",
          dataset.id,
        )
        if (live === undefined) break
        if (live.state === 'queued') {
          await deliver(dataset, live.id)
          continue
        }
        const attempt = { dataset, jobId: live.id, attempt: live.attempt }
        // a plan of the storm may stand; the attempt after it plans again
        const merges = await plan(attempt, 2)
        for (let index = 1; index <= merges; index++) {
          const total = await rowsOf(attempt, index)
          if (total !== undefined) await commit(attempt, index, anOutput(total))
        }
        await finish(attempt, false)
      }
    }
    await expectSound()
  })
})
