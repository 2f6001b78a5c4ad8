import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { back } from './client-deeds.ts'
import { define } from './define.ts'
import { must } from './model.ts'
import { DATA_SETS, type Real } from './real.ts'

const RELAY = 'a relay'

export const deadLetter = define({
  name: 'deadLetter',
  args: fc.record({ state: fc.constantFrom('queued', null), back, again: fc.boolean() }),
  async call(real, { state, back, again }) {
    const jobId = await real.jobIn(state, back)
    const [job] = await real.database.query<{ dataset_id: string }>(
      'select dataset_id from jobs where id = $1',
      jobId ?? null,
    )
    if (job === undefined) return undefined
    const letter = {
      queue: 'the queue',
      messageId: again ? `the message of ${jobId}` : randomUUID(),
      body: {},
      code: 'delivery_failed',
      message: 'refused',
      attempts: 4,
      datasetId: job.dataset_id,
      jobId,
    }
    return { jobId: jobId!, letter, answer: await real.call('record_dead_letter', { p_letter: letter }) }
  },
  judge(model, { jobId, letter, answer }) {
    const known = model.letters.has(letter.messageId)
    must(answer.outcome === (known ? 'duplicate' : 'recorded'), 'a dead letter is recorded once', answer)
    if (known) return
    model.letters.add(letter.messageId)
    const job = model.jobs.get(jobId)!
    if (job.state === 'queued') job.state = 'dead'
  },
})

/** What a clock does. Vacuum waits a week for what was removed, unless the dataset says otherwise. */
export const timePasses = define({
  name: 'timePasses',
  args: fc.constantFrom('a minute', 'an hour', 'eight days'),
  async call({ database }: Real, time) {
    const seconds = { 'a minute': 60, 'an hour': 3600, 'eight days': 8 * 86_400 }[time]
    const earlier = (...columns: string[]) =>
      columns.map((column) => `${column} = ${column} - make_interval(secs => ${seconds})`).join(', ')
    // one transaction, behind whoever works on a dataset: else it would lock rows in an order of its own
    await database.query(`begin;
      lock table datasets in exclusive mode;
      update jobs set ${earlier('lease_until', 'dispatched_at', 'created_at')};
      update files set ${earlier('removed_at', 'created_at')};
      update outbox set ${earlier('next_attempt_at', 'locked_until', 'published_at')};
      commit`)
    return { seconds }
  },
  judge(model, { seconds }) {
    if (seconds < 7 * 86_400) return
    for (const { files } of model.datasets.values())
      for (const file of files.values()) if (file.removedVersion !== undefined) file.old = true
  },
})

export const configure = define({
  name: 'configure',
  args: fc.record({ dataset: fc.constantFrom(...DATA_SETS), keeps: fc.boolean() }),
  async call(real, { dataset, keeps }) {
    const settings = { retentionSeconds: keeps ? 7 * 86_400 : 0 }
    const answer = await real.call('configure_dataset', {
      p_dataset_id: dataset,
      p_caller: { operator: true },
      p_settings: settings,
    })
    return { dataset, keeps, answer }
  },
  judge(model, { dataset, keeps, answer }) {
    const found = model.datasets.get(dataset)
    must(answer.outcome === (found ? 'configured' : 'unknown_dataset'), 'a dataset that is there has settings', answer)
    if (found) found.keeps = keeps
  },
})

/** Its policy finds two small files worth a job. */
export const makeEager = define({
  name: 'makeEager',
  args: fc.constantFrom(...DATA_SETS),
  async call(real, dataset) {
    const settings = { mergeMinFiles: 2 }
    return {
      dataset,
      answer: await real.call('configure_dataset', {
        p_dataset_id: dataset,
        p_caller: { operator: true },
        p_settings: settings,
      }),
    }
  },
  judge(model, { dataset, answer }) {
    const known = model.datasets.has(dataset)
    must(answer.outcome === (known ? 'configured' : 'unknown_dataset'), 'a dataset that is there has settings', answer)
  },
})

/** The look of the cron at slots. */
export const admit = define({
  name: 'admit',
  args: fc.constant(null),
  call: (real) => real.call<number>('admit_jobs'),
})

export const vacuum = define({
  name: 'vacuum',
  args: fc.record({ dies: fc.boolean() }),
  async call(real, { dies }) {
    const keys = await real.call<string[]>('claim_garbage', { p_limit: 1000 })
    for (const key of keys) real.deleted.add(key)
    if (!dies) await real.call('complete_garbage', { p_keys: keys })
    return { keys }
  },
  judge(model, { keys }) {
    for (const dataset of model.datasets.values())
      for (const file of [...dataset.files.values()]) {
        if (file.removedVersion === undefined || (dataset.keeps && !file.old)) continue
        dataset.files.delete(file.name)
        dataset.oldestVersion = Math.max(dataset.oldestVersion, file.removedVersion)
      }
    const named = [...model.datasets.values()].flatMap(({ files }) => [...files.values()].map(({ key }) => key))
    for (const key of keys)
      must(!named.includes(key), 'vacuum takes no object that a live file or a readable version needs', key)
  },
})

/** Two rounds of the walk over the bucket, hours apart, that find the same objects of all sorts. */
export const sweepTwice = define({
  name: 'sweepTwice',
  args: fc.record({ back }),
  async call(real, { back }) {
    const settled = real.settled.at(-1 - (back % Math.max(1, real.settled.length))) ?? 'lost/1'
    const keys = [settled, `lost/${randomUUID()}`]
    for (const _look of [1, 2]) {
      await real.database.query("update sweeps set next_at = now() where name = 'orphans'")
      const sweep = await real.call<{ due: boolean; cursor: string | null; round: number }>('begin_sweep', {
        p_name: 'orphans',
      })
      if (!sweep.due) return undefined
      const page = { p_round: sweep.round, p_cursor: sweep.cursor, p_next_cursor: null, p_objects: 2, p_keys: keys }
      await real.call('record_sweep_page', { p_name: 'orphans', ...page, p_pause_seconds: 0 })
      await real.database.query("update orphan_suspects set first_seen_at = first_seen_at - interval '7 hours'")
    }
    await real.call<number>('mark_orphans', { p_name: 'orphans', p_limit: 100 })
    const garbage = await real.database.query<{ r2_key: string }>(
      'select r2_key from garbage where r2_key = any ($1)',
      keys,
    )
    return { keys, marked: garbage.map(({ r2_key }) => r2_key) }
  },
  judge(model, { keys, marked }) {
    const named = [...model.datasets.values()].flatMap(({ files }) => [...files.values()].map(({ key }) => key))
    for (const key of keys)
      must(marked.includes(key) !== named.includes(key), 'two looks mark what no file names, and nothing else', key)
    for (const key of marked) model.refused.add(key)
  },
})

/** Uploads that were refused after they were stored: keys of all sorts. */
export const sweep = define({
  name: 'sweep',
  args: fc.record({ back }),
  async call(real, { back }) {
    const keys = [real.settled.at(-1 - (back % Math.max(1, real.settled.length))) ?? 'lost/1', `lost/${randomUUID()}`]
    return { keys, count: await real.call<number>('mark_keys_for_deletion', { p_keys: keys }) }
  },
  judge(model, { keys }) {
    const named = [...model.datasets.values()].flatMap(({ files }) => [...files.values()].map(({ key }) => key))
    for (const key of keys) if (!named.includes(key)) model.refused.add(key)
  },
})

export const redispatch = define({
  name: 'redispatch',
  args: fc.constant(null),
  call: (real) => real.call<number>('redispatch_stale_jobs', { p_older_seconds: 180, p_limit: 10 }),
})

export const retell = define({
  name: 'retell',
  args: fc.constant(null),
  call: (real) => real.call<number>('repeat_death_notices', { p_older_seconds: 180, p_limit: 10 }),
})

export const relay = define({
  name: 'relay',
  args: fc.record({
    how: fc.constantFrom('sends', 'sends', 'is refused', 'dies'),
    holder: fc.constantFrom(RELAY, 'a model'),
  }),
  async call(real, { how, holder }) {
    await real.call('claim_outbox', { max_batch: 10, lock_seconds: 60, worker_id: RELAY })
    const held = await real.database.query<{ id: number }>(
      "select id from outbox where status = 'in_progress' and locked_by = $1",
      holder,
    )
    const ids = held.map(({ id }) => id)
    if (how === 'sends') await real.call('complete_outbox', { p_ids: ids, p_worker_id: holder })
    if (how === 'is refused') await real.call('release_outbox', { p_ids: ids, p_worker_id: holder, p_error: 'no' })
    return {}
  },
})

/** The rescuer looks at attempts whose lease ran out, and takes them for dead. */
export const rescue = define({
  name: 'rescue',
  args: fc.constant(null),
  async call(real) {
    const expired = await real.call<{ jobId: string; attempt: number }[]>('list_expired_leases', { p_limit: 10 })
    const running = await real.database.query<{ id: string; attempt: number }>(
      "select id, attempt from jobs where state = 'running' and lease_until < now()",
    )
    return { expired, running }
  },
  judge(model, { expired }) {
    for (const { jobId, attempt } of expired) {
      const job = model.jobs.get(jobId)
      must(job?.state === 'running' && job.attempt === attempt, 'only running attempts lose their lease', { jobId })
    }
  },
})
