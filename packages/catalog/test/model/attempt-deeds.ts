import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { anOutput, LEASE_SECONDS } from '../data-set-under-test.ts'
import type { Answer } from '../races/race-database.ts'
import { back } from './client-deeds.ts'
import { define } from './define.ts'
import { MAX_EXCUSED_ENDS, MAX_UNCOUNTED_ATTEMPTS, type ModelCatalog, type ModelJob, must } from './model.ts'
import { DATA_SETS, type Real, SENDER, type SentOutput } from './real.ts'

/** Mostly the current attempt of a job that runs; now and then the one before, or one of whatever job. */
const attempt = fc.record({
  back,
  running: fc.oneof({ arbitrary: fc.constant(true), weight: 9 }, { arbitrary: fc.constant(false), weight: 1 }),
  stale: fc.oneof({ arbitrary: fc.constant(0), weight: 9 }, { arbitrary: fc.constant(1), weight: 1 }),
})
type Chosen = { back: number; running: boolean; stale: number }

interface Attempt {
  jobId: string
  attempt: number
}

async function choose(real: Real, { back, running, stale }: Chosen): Promise<Attempt | undefined> {
  const jobId = await real.jobIn(running ? 'running' : null, back)
  const [job] = await real.database.query<{ attempt: number }>('select attempt from jobs where id = $1', jobId ?? null)
  return job && { jobId: jobId!, attempt: job.attempt - stale }
}

/** Mostly one of the plan, from 1. */
const index = fc.nat({ max: 8 })

/** @returns nothing, mostly, where the attempt has no plan */
async function chooseMerge(real: Real, { jobId, attempt }: Attempt, choice: number): Promise<number | undefined> {
  const merges = await real.database.query<{ index: number }>(
    'select index from merges where job_id = $1 and attempt = $2 order by index',
    jobId,
    attempt,
  )
  if (merges.length === 0) return choice === 0 ? 1 : undefined
  return merges[choice % (merges.length + 1)]?.index ?? merges[0]!.index
}

const fenceArgs = ({ jobId, attempt }: Attempt) => ({ p_job_id: jobId, p_attempt: attempt })

/** @returns whether the attempt may go on; holds the answer against it if not */
function passed(model: ModelCatalog, { jobId, attempt }: Attempt, answer: Answer): boolean {
  const expected = model.fence(model.jobs.get(jobId), attempt)
  if (expected !== 'ok') must(answer.outcome === expected, `an attempt that may not go on is told ${expected}`, answer)
  return expected === 'ok'
}

const plansOf = (model: ModelCatalog, { jobId, attempt }: Attempt) => model.jobs.get(jobId)!.plans.get(attempt)

const by = fc.constantFrom('queued', 'queued', 'queued', 'queued', 'job', 'hand', 'again')

export const deliver = define({
  name: 'deliver',
  args: fc.record({ back, dataset: fc.constantFrom(...DATA_SETS), by }),
  async call(real, { back, dataset, by }) {
    const jobId = by === 'queued' || by === 'job' ? await real.jobIn(by === 'job' ? null : 'queued', back) : undefined
    const before = by === 'again' ? real.messages.at(-1 - (back % Math.max(1, real.messages.length))) : undefined
    if (by !== 'hand' && jobId === undefined && before === undefined) return undefined
    const [job] = await real.database.query<{ dataset_id: string }>('select dataset_id from jobs where id = $1', jobId)
    const message = before ?? { id: randomUUID(), datasetId: job?.dataset_id ?? dataset }
    if (by === 'hand') real.messages.push(message)
    const answer = await real.call('accept_message', {
      p_message_id: message.id,
      p_dataset_id: message.datasetId,
      p_job_id: jobId ?? null,
      p_priority: 'manual',
      p_table: null,
      p_period_tag: null,
      p_metric_id: null,
      p_lease_seconds: LEASE_SECONDS,
    })
    real.sawJob(answer.jobId)
    return { jobId, message, answer }
  },
  judge(model, { jobId, message, answer }) {
    const dataset = model.datasets.get(message.datasetId)
    if (dataset === undefined) return must(answer.outcome === 'unknown_dataset', 'no job of an unknown dataset', answer)
    const known =
      jobId === undefined
        ? [...model.jobs.values()].find(({ messages, dataset: of }) => of === dataset && messages.has(message.id))
        : model.jobs.get(jobId)
    const job = known ?? model.request(dataset, answer, message.id)
    must(job.id === answer.jobId, 'a message is about its job, however often it comes', answer)
    if (job.state === 'running')
      return must(answer.outcome === 'running' && answer.attempt === job.attempt, 'a job is claimed once', answer)
    if (job.state !== 'queued') return must(answer.outcome === 'ended', 'a job that ended does not start', answer)
    const blocked = model.jobIn(dataset, 'running') !== undefined
    if (answer.outcome !== 'claimed') {
      const idle = [...model.jobs.values()].every(({ state }) => state !== 'running')
      return must(blocked || !idle, 'where nothing runs a queued job starts', answer)
    }
    must(!blocked, 'at most one job of a dataset runs', answer)
    job.state = 'running'
    job.attempt += 1
    must(answer.attempt === job.attempt, 'each start is an attempt of its own', answer)
  },
})

export const enter = define({
  name: 'enter',
  args: fc.record({ attempt, step: fc.constantFrom('validate-dataset', null) }),
  async call(real, { attempt: chosen, step }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const args = { ...fenceArgs(attempt), p_step: step, p_lease_seconds: LEASE_SECONDS }
    return { attempt, step, answer: await real.call('enter_step', args) }
  },
  judge(model, { attempt, step, answer }) {
    if (!passed(model, attempt, answer)) return
    must(answer.outcome === 'ok', 'the current attempt goes on', answer)
    if (step !== null) Object.assign(model.jobs.get(attempt.jobId)!, { step, entered: true })
  },
})

interface Listed extends Answer {
  files?: {
    id: string
    table: string
    periodTag: string
    mergeGroup: string
    suspect: { setId: string; ends: number } | null
  }[]
}

export const plan = define({
  name: 'plan',
  args: fc.record({
    attempt,
    inputs: fc.integer({ min: 2, max: 4 }),
    overlap: fc.nat({ max: 7 }),
    old: fc.nat({ max: 9 }),
  }),
  async call(real, { attempt: chosen, inputs, overlap, old }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const listed = await real.call<Listed>('list_mergeable_files', { ...fenceArgs(attempt), p_max_files: 20 })
    const kinds = Map.groupBy(
      listed.files ?? [],
      (f) => f.suspect?.setId ?? `${f.table}/${f.periodTag}/${f.mergeGroup}`,
    )
    const merges = [...kinds.values()].flatMap((files) => {
      const ids = files.map(({ id }) => id)
      if (files[0]!.suspect) return [ids]
      // two merges with an input in common, which no planner makes and the swap must not take
      const step = overlap === 0 ? inputs - 1 : inputs
      return Array.from({ length: Math.ceil(ids.length / step) }, (_, i) => ids.slice(i * step, i * step + inputs))
    })
    const suspects = new Set((listed.files ?? []).filter(({ suspect }) => suspect).map(({ id }) => id))
    const chosenMerges = merges.filter((ids) => ids.length >= 2 || suspects.has(ids[0]!))
    // a plan made from what was there before another one swapped it
    const [removed] =
      old > 0
        ? []
        : await real.database.query<{ id: string }>(
            'select f.id from files f join jobs j on j.dataset_id = f.dataset_id where removed_version is not null and j.id = $1 limit 1',
            attempt.jobId,
          )
    if (removed && chosenMerges.length > 0) chosenMerges[0] = [removed.id, ...chosenMerges[0]!]
    const answer = await real.call('save_plan', { ...fenceArgs(attempt), p_merges: JSON.stringify(chosenMerges) })
    const names = await Promise.all(chosenMerges.map((ids) => real.names(ids)))
    const suspected = await real.names([...suspects])
    const listedNames = await real.names((listed.files ?? []).map(({ id }) => id))
    return { attempt, listed: listedNames, suspected, first: listed, answer, names }
  },
  judge(model, { attempt, listed, suspected, first, answer, names }) {
    if (!passed(model, attempt, first)) return void passed(model, attempt, answer)
    const job = model.jobs.get(attempt.jobId)!
    const mergeable = model.live(job.dataset).filter(({ quarantinedBy }) => quarantinedBy === undefined)
    must(
      listed.every((name) => mergeable.some((file) => file.name === name)),
      'a plan is made from live files that are not in quarantine',
      { listed, mergeable: mergeable.map(({ name }) => name) },
    )
    must(
      listed.every((name) => suspected.includes(name) === job.dataset.suspects.has(name)),
      'a plan is told whom nobody trusts',
      { listed, suspected },
    )
    const standing = job.plans.get(attempt.attempt)
    if (standing !== undefined && standing.length > 0)
      return must(answer.merges === standing.length, 'the first plan of an attempt stands', answer)
    const dead = names.flat().some((name) => job.dataset.files.get(name)?.removedVersion !== undefined)
    must(answer.outcome === (dead ? 'conflict' : 'ok'), 'a plan of files that are no longer live is refused', answer)
    if (!dead)
      job.plans.set(
        attempt.attempt,
        names.map((inputs) => ({ inputs, state: 'planned' })),
      )
  },
})

export const open = define({
  name: 'open',
  args: fc.record({ attempt, index }),
  async call(real, { attempt: chosen, index: choice }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const index = await chooseMerge(real, attempt, choice)
    if (index === undefined) return undefined
    const args = { ...fenceArgs(attempt), p_index: index, p_lease_seconds: LEASE_SECONDS }
    const answer = await real.call<Answer & { inputs?: { id: string }[] }>('open_merge', args)
    return { attempt, index, answer, inputs: await real.names((answer.inputs ?? []).map(({ id }) => id)) }
  },
  judge(model, { attempt, index, answer, inputs }) {
    if (!passed(model, attempt, answer)) return
    const job = model.jobs.get(attempt.jobId)!
    Object.assign(job, { step: `compact-${index}`, entered: true })
    const merge = plansOf(model, attempt)?.[index - 1]
    if (merge === undefined) return must(answer.outcome === 'unknown_merge', 'no merge that is not in the plan', answer)
    model.shrink(job, merge)
    if (merge.state !== 'planned') return must(answer.outcome === merge.state, 'what is done is not done again', answer)
    const expected = merge.inputs.join()
    must(answer.outcome === 'ok' && inputs.join() === expected, 'a merge has what is left of its plan', answer)
  },
})

async function commitWith(real: Real, sent: SentOutput) {
  real.outputs.push(sent)
  const { jobId, attempt, index, output } = sent
  const args = { p_job_id: jobId, p_attempt: attempt, p_index: index, p_output: output, p_lease_seconds: LEASE_SECONDS }
  const answer = await real.call('commit_merge', args)
  real.settled.push(output.r2Key)
  return { sent, answer }
}

function judgeCommit(model: ModelCatalog, { sent, answer }: { sent: SentOutput; answer: Answer }) {
  const { index, output } = sent
  if (!passed(model, sent, answer)) return
  const job = model.jobs.get(sent.jobId)!
  const { dataset } = job
  const merge = plansOf(model, sent)?.[index - 1]
  if (merge === undefined) return must(answer.outcome === 'unknown_merge', 'no swap that is not in the plan', answer)
  if (merge.state === 'committed' && merge.outputKey === output.r2Key)
    return must(answer.outcome === 'committed' && answer.version === merge.version, 'a swap told twice is one', answer)
  if (merge.state !== 'planned') return must(answer.outcome === 'superseded', 'a merge is swapped once', answer)
  const inputs = merge.inputs.map((name) => dataset.files.get(name))
  if (
    inputs.some((file) => file === undefined || file.removedVersion !== undefined || file.quarantinedBy !== undefined)
  )
    return must(answer.outcome === 'conflict', 'a swap needs all of its inputs live', answer)
  const files = inputs.map((file) => file!)
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  if (rows !== output.rows) return must(answer.outcome === 'row_count_mismatch', 'a swap keeps every row', answer)
  must(answer.outcome === 'committed', 'a swap of live inputs is made', answer)
  dataset.version += 1
  for (const file of files) {
    file.removedVersion = dataset.version
    dataset.suspects.delete(file.name)
  }
  const name = `${output.r2Key}#0`
  dataset.files.set(name, {
    name,
    key: output.r2Key,
    kind: files[0]!.kind,
    rows,
    holds: files.flatMap(({ holds }) => holds),
    level: Math.max(...files.map(({ level }) => level)) + 1,
    createdVersion: dataset.version,
    old: false,
  })
  merge.state = 'committed'
  merge.outputKey = output.r2Key
  merge.version = dataset.version
  model.nextVersion(dataset, answer.version)
}

const oneRowOff = fc.oneof({ arbitrary: fc.constant(0), weight: 8 }, { arbitrary: fc.constant(1), weight: 1 })

export const commit = define({
  name: 'commit',
  args: fc.record({ attempt, index, off: oneRowOff }),
  async call(real, { attempt: chosen, index: choice, off }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const index = await chooseMerge(real, attempt, choice)
    if (index === undefined) return undefined
    const [merge] = await real.database.query<{ rows_in: number; fingerprint: string }>(
      `select m.rows_in, f.schema_fingerprint as fingerprint from merges m join files f on f.id = any (m.input_ids)
       where m.job_id = $1 and m.attempt = $2 and m.index = $3 limit 1`,
      attempt.jobId,
      attempt.attempt,
      index,
    )
    const output = anOutput(Number(merge?.rows_in ?? 0) + off, merge && { fingerprint: merge.fingerprint })
    return commitWith(real, { ...attempt, index, output })
  },
  judge: judgeCommit,
})

/** The same call again, its answer lost or its step run twice. */
export const commitAgain = define({
  name: 'commitAgain',
  args: back,
  async call(real, back) {
    const before = real.outputs.at(-1 - (back % Math.max(1, real.outputs.length)))
    return before && commitWith(real, before)
  },
  judge: judgeCommit,
})

export const setAside = define({
  name: 'setAside',
  args: fc.record({
    attempt,
    index,
    inputs: fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
    moved: fc.nat({ max: 7 }),
  }),
  async call(real, { attempt: chosen, index: choice, inputs, moved }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const index = await chooseMerge(real, attempt, choice)
    if (index === undefined) return undefined
    const files = await real.database.query<{ id: string; r2_key: string }>(
      `select f.id, f.r2_key from merges m cross join lateral unnest(m.input_ids) with ordinality as u (id, place)
       join files f on f.id = u.id where m.job_id = $1 and m.attempt = $2 and m.index = $3 order by u.place`,
      attempt.jobId,
      attempt.attempt,
      index,
    )
    const faulty = inputs.map((place) => files[place]).filter((file) => file !== undefined)
    const faults = faulty.map(({ id, r2_key }) => ({
      fileId: id,
      // now and then it lay elsewhere when it was read
      r2Key: moved === 0 ? 'fragments/before' : r2_key,
      code: 'corrupt_file',
      message: 'unreadable',
    }))
    const args = { ...fenceArgs(attempt), p_index: index, p_faults: JSON.stringify(faults) }
    const answer = await real.call('set_aside_inputs', args)
    return { attempt, index, answer, faulty: moved === 0 ? [] : await real.names(faulty.map(({ id }) => id)) }
  },
  judge(model, { attempt, index, answer, faulty }) {
    if (!passed(model, attempt, answer)) return
    const job = model.jobs.get(attempt.jobId)!
    const merge = plansOf(model, attempt)?.[index - 1]
    if (merge === undefined) return must(answer.outcome === 'unknown_merge', 'no merge that is not in the plan', answer)
    let count = 0
    if (merge.state === 'planned') {
      for (const name of faulty) {
        if (!model.isMergeable(job.dataset, name)) continue
        model.quarantine(job, name)
        count += 1
      }
      model.shrink(job, merge)
    }
    const expected = merge.state === 'planned' ? 'ok' : merge.state
    must(answer.outcome === expected && answer.setAside === count, 'bad inputs go out of their merge, once', answer)
  },
})

export const finish = define({
  name: 'finish',
  args: fc.record({ attempt, more: fc.boolean() }),
  async call(real, { attempt: chosen, more }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const args = { ...fenceArgs(attempt), p_result: {}, p_more: more, p_sender: SENDER }
    const answer = await real.call('finish_job', args)
    const [left] = await real.database.query<{ id: string; triggers: number }>(
      `select q.id, q.triggers from jobs q join jobs j on j.dataset_id = q.dataset_id
       where j.id = $1 and q.state = 'queued'`,
      attempt.jobId,
    )
    real.sawJob(left?.id)
    const [did] = await real.database.query<{ something: boolean }>(
      'select files_out > 0 or files_set_aside > 0 or table_name is not null as something from jobs where id = $1',
      attempt.jobId,
    )
    return { attempt, more, answer, left, didSomething: did!.something }
  },
  judge(model, { attempt, more, answer, left, didSomething }) {
    const job = model.jobs.get(attempt.jobId)!
    const endedBefore = job.attempt === attempt.attempt && (job.state === 'succeeded' || job.state === 'dead')
    if (endedBefore) return must(answer.outcome === job.state, 'an end that is told twice is one', answer)
    if (!passed(model, attempt, answer)) return
    const asked = left !== undefined && left.triggers > (model.jobIn(job.dataset, 'queued')?.triggers ?? 0)
    // also where the policy finds more worth a job
    if (more || asked) {
      must(more || didSomething, 'a job that found nothing to do asks for no other', left)
      model.request(job.dataset, { jobId: left?.id })
    }
    job.state = 'succeeded'
    must(answer.outcome === job.state, 'a job that did what could be done has succeeded', answer)
  },
})

const failures = [
  { code: 'storage_unavailable', step: 'compact-1' },
  { code: 'workflow_ended', step: 'rescue' },
  { code: 'workflow_ended', step: 'rescue' },
  { code: 'internal', step: 'compact-1' },
]

/** Of the Workflow, or of the rescuer. */
export const fail = define({
  name: 'fail',
  args: fc.record({ attempt, transient: fc.boolean(), counted: fc.boolean(), failure: fc.constantFrom(...failures) }),
  async call(real, { attempt: chosen, transient, counted, failure }) {
    const attempt = await choose(real, chosen)
    if (attempt === undefined) return undefined
    const answer = await real.call('fail_attempt', {
      ...fenceArgs(attempt),
      p_code: failure.code,
      p_step: failure.step,
      p_message: 'no answer',
      p_transient: transient,
      p_counted: counted,
      p_lease_seconds: LEASE_SECONDS,
      p_sender: SENDER,
    })
    return { attempt, transient, counted, failure, answer }
  },
  judge(model, { attempt, transient, counted, failure, answer }) {
    if (!passed(model, attempt, answer)) return
    const job: ModelJob = model.jobs.get(attempt.jobId)!
    const told =
      counted &&
      failure.code !== 'storage_unavailable' &&
      model.suspect(job, failure.code === 'workflow_ended' ? job.step : failure.step)
    const excused = told && job.excusedEnds < MAX_EXCUSED_ENDS
    const given = !counted && job.uncounted < MAX_UNCOUNTED_ATTEMPTS ? 1 : 0
    const again = excused || (transient && job.attempt - job.excusedEnds < job.maxAttempts + given)
    must(
      answer.outcome === (again ? 'retrying' : 'dead'),
      'what may pass, or tells which file is to blame, is tried again',
      answer,
    )
    if (!again) {
      job.state = 'dead'
      return
    }
    job.attempt += 1
    job.step = null
    job.entered = false
    job.maxAttempts += given
    job.uncounted += given
    if (excused) job.excusedEnds += 1
  },
})
