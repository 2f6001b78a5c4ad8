import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { anObject, type SliceSpec } from '../data-set-under-test.ts'
import type { Answer } from '../races/race-database.ts'
import { define } from './define.ts'
import { ENDED, type ModelCatalog, type ModelDataset, must } from './model.ts'
import { DATA_SETS, type Real, SENDER, type SentObject, USERS } from './real.ts'

const dataset = fc.constantFrom(...DATA_SETS)
const requester = fc.constantFrom(null, null, null, ...USERS)
const callerOf = (user: string | null) => (user === null ? { operator: true } : { user })
/** Which job, counted from the newest; small numbers are likelier. */
export const back = fc.nat({ max: 7 })

/** Of the jobs to act on. */
const states = ['queued', 'running', 'dead', 'dead', 'cancelled', null] as const
const state = fc.constantFrom(...states)
/** Mostly the owner. */
const stranger = fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, { arbitrary: fc.constant(true), weight: 1 })

const slice = fc.record({
  table: fc.constantFrom('ships', 'ships', 'ports'),
  fingerprint: fc.constantFrom('schema-1', 'schema-1', 'schema-1', 'schema-2'),
  rows: fc.integer({ min: 0, max: 5 }),
  /** few, so that some come twice; none is a content that comes only once */
  content: fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, { arbitrary: fc.nat({ max: 5 }), weight: 1 }),
})

/** What the client wants beside the upload, and what the bucket has lost. */
interface How {
  broken?: boolean
  replaces?: string | undefined
}

async function register(real: Real, sent: SentObject, { broken = false, replaces }: How = {}) {
  real.objects.push(sent)
  const args = {
    p_dataset_id: sent.datasetId,
    p_caller: { user: sent.user },
    p_object: sent.object,
    p_sender: SENDER,
    ...(replaces !== undefined && { p_replaces: replaces }),
  }
  const [replaced] = replaces === undefined ? [] : await real.names([replaces])
  let answer = await real.call<Answer & { copies?: { fileId: string; r2Key: string }[] }>('register_upload', args)
  let lost: string[] = []
  if (answer.outcome === 'check_copies') {
    const copies = broken ? answer.copies! : []
    lost = await real.names(copies.map(({ fileId }) => fileId))
    answer = await real.call('register_upload', { ...args, p_copies: JSON.stringify(copies) })
  }
  real.settled.push(sent.object.r2Key)
  if (answer.outcome === 'stored') real.stored.add(sent.object.r2Key)
  return { sent, answer, lost, replaces: replaces === undefined ? undefined : { name: replaced } }
}

type Registered = Awaited<ReturnType<typeof register>>

/** What has to become of an object that a user sends. */
function judgeUpload(model: ModelCatalog, { sent, answer, lost, replaces }: Registered) {
  const { datasetId, user, object } = sent
  const found = model.datasets.get(datasetId) ?? newDataset(datasetId, user)
  model.datasets.set(datasetId, found)
  if (found.owner !== user)
    return must(answer.outcome === 'unknown_dataset', 'a dataset takes uploads of its owner', answer)
  const here = [...found.files.values()].filter(({ key }) => key === object.r2Key)
  if (here.length > 0)
    return must(['stored', 'healed'].includes(answer.outcome), 'an upload that is told twice was stored', answer)
  if (model.refused.has(object.r2Key))
    return must(answer.outcome === 'duplicate', 'an object that was given to vacuum is not taken back', answer)

  const replaced = replaces?.name === undefined ? undefined : found.files.get(replaces.name)
  if (replaces !== undefined && (replaced === undefined || replaced.content === undefined)) {
    model.refuse(object.r2Key)
    return must(answer.outcome === 'unknown_file', 'only an upload of the dataset is replaced', answer)
  }
  if (replaced?.removedVersion !== undefined && !replaced.discarded) {
    model.refuse(object.r2Key)
    return must(answer.outcome === 'file_superseded', 'what was merged is not replaced', answer)
  }

  const contentOf = ({ table, periodTag, sha256 }: (typeof object.slices)[number]) => `${table}/${periodTag}/${sha256}`
  const sentContents = object.slices.map(contentOf)
  const next = found.version + 1
  for (const name of lost) {
    const file = found.files.get(name)!
    const place = object.slices[sentContents.indexOf(file.content!)]!
    const before = file.key
    found.suspects.delete(file.name)
    delete file.quarantinedBy
    model.move(found, file, object.r2Key, place.offset)
    model.refuse(before)
  }
  const isGone = replaced && replaced.removedVersion === undefined && !sentContents.includes(replaced.content!)
  found.version = next
  if (isGone) model.discard(found, replaced)
  const added = object.slices.filter((slice, index) => {
    const content = contentOf(slice)
    const known = [...found.files.values()].some((file) => file.content === content && !file.discarded)
    return sentContents.indexOf(content) === index && !known
  })
  const outcome = added.length > 0 ? 'stored' : lost.length > 0 ? 'healed' : 'duplicate'
  must(answer.outcome === outcome, 'the same content is stored once, and again if it was lost', { answer, sent })
  if (outcome === 'duplicate') {
    model.refuse(object.r2Key)
    if (isGone) model.nextVersion(found, answer.version)
    else found.version -= 1
    return
  }
  for (const slice of added) {
    const { table, periodTag, fingerprint, rows, offset } = slice
    const name = `${object.r2Key}#${offset}`
    found.files.set(name, {
      name,
      key: object.r2Key,
      kind: `${table}/${periodTag}/${fingerprint}`,
      rows,
      content: contentOf(slice),
      holds: [name],
      level: 0,
      createdVersion: found.version,
      old: false,
    })
  }
  model.nextVersion(found, answer.version)
  // a policy may see no need for a job yet
  if (answer.jobId !== null) model.request(found, answer)
}

const newDataset = (id: string, owner: string): ModelDataset => ({
  id,
  owner,
  version: 0,
  oldestVersion: 0,
  keeps: true,
  files: new Map(),
  versions: new Map([[0, []]]),
  suspects: new Map(),
})

export const upload = define({
  name: 'upload',
  args: fc.record({ dataset, stranger, slices: fc.array(slice, { minLength: 1, maxLength: 3 }) }),
  async call(real, { dataset, stranger, slices }) {
    const specs = slices.map(
      ({ content, ...spec }): SliceSpec => ({ ...spec, content: content === null ? randomUUID() : String(content) }),
    )
    const user = USERS[(DATA_SETS.indexOf(dataset) + Number(stranger)) % USERS.length]!
    const sent = { datasetId: dataset, user, object: anObject(specs) }
    const registered = await register(real, sent)
    real.sawJob(registered.answer.jobId)
    return registered
  },
  judge: judgeUpload,
})

export const uploadAgain = define({
  name: 'uploadAgain',
  args: fc.record({ back, sameObject: fc.boolean(), broken: fc.boolean() }),
  async call(real, { back, sameObject, broken }) {
    const before = real.objects.at(-1 - (back % Math.max(1, real.objects.length)))
    if (before === undefined || (sameObject && real.deleted.has(before.object.r2Key))) return undefined
    const object = sameObject ? before.object : { ...before.object, r2Key: `datasets/any/uploads/${randomUUID()}` }
    const sent = { ...before, object }
    const registered = await register(real, sent, { broken })
    real.sawJob(registered.answer.jobId)
    return registered
  },
  judge: judgeUpload,
})

/** A file, of whatever dataset and state; small numbers are the newest. */
async function fileIn(real: Real, where: string, back: number) {
  const files = await real.database.query<{ id: string; dataset_id: string; owner_id: string; name: string }>(
    `select f.id, f.dataset_id, d.owner_id, f.r2_key || '#' || f.byte_offset as name
     from files f join datasets d on d.id = f.dataset_id where ${where} order by f.created_version desc, name`,
  )
  return files[back % Math.max(1, files.length)]
}

const fileState = fc.constantFrom(
  'f.removed_version is null',
  'f.removed_version is null',
  'f.quarantine_code is not null',
  'f.removed_version is not null',
)

export const replace = define({
  name: 'replace',
  args: fc.record({ state: fileState, back, slice }),
  async call(real, { state, back, slice: { content, ...spec } }) {
    const file = await fileIn(real, state, back)
    if (file === undefined) return undefined
    const object = anObject([{ ...spec, content: content === null ? randomUUID() : String(content) }])
    const sent = { datasetId: file.dataset_id, user: file.owner_id, object }
    const registered = await register(real, sent, { replaces: file.id })
    real.sawJob(registered.answer.jobId)
    return registered
  },
  judge: judgeUpload,
})

export const discard = define({
  name: 'discard',
  args: fc.record({ state: fileState, back, requester }),
  async call(real, { state, back, requester }) {
    const file = await fileIn(real, state, back)
    if (file === undefined) return undefined
    const args = { p_file_id: file.id, p_caller: callerOf(requester) }
    return { file, requester, answer: await real.call('discard_file', args) }
  },
  judge(model, { file: { dataset_id, name }, requester, answer }) {
    const dataset = model.datasets.get(dataset_id)!
    const file = dataset.files.get(name)!
    if (requester !== null && requester !== dataset.owner)
      return must(answer.outcome === 'unknown_file', 'nobody discards the file of another', answer)
    if (file.removedVersion !== undefined && !file.discarded)
      return must(answer.outcome === 'file_superseded', 'what was merged is not discarded', answer)
    must(answer.outcome === 'discarded', 'a live file is discarded, and a discarded one stays so', answer)
    if (file.discarded) return must(answer.version === file.removedVersion, 'discarding twice is once', answer)
    dataset.version += 1
    model.discard(dataset, file)
    model.nextVersion(dataset, answer.version)
  },
})

export const release = define({
  name: 'release',
  args: fc.record({ back, requester }),
  async call(real, { back, requester }) {
    const file =
      (await fileIn(real, 'f.quarantine_code is not null and f.removed_version is null', back)) ??
      (await fileIn(real, 'f.level = 0', back))
    if (file === undefined) return undefined
    const args = { p_file_id: file.id, p_caller: callerOf(requester) }
    return { file, requester, answer: await real.call('release_file', args) }
  },
  judge(model, { file: { dataset_id, name }, requester, answer }) {
    const dataset = model.datasets.get(dataset_id)!
    const file = dataset.files.get(name)!
    if (requester !== null && requester !== dataset.owner)
      return must(answer.outcome === 'unknown_file', 'nobody releases the file of another', answer)
    const held = file.removedVersion === undefined && file.quarantinedBy !== undefined
    must(answer.outcome === (held ? 'released' : 'not_quarantined'), 'a live file leaves its quarantine', answer)
    if (held) delete file.quarantinedBy
  },
})

export const acknowledge = define({
  name: 'acknowledge',
  args: fc.constantFrom(null, ...DATA_SETS),
  call: (real, dataset) =>
    real.call<number>('acknowledge_files', { p_caller: { operator: true }, p_dataset_id: dataset, p_code: null }),
})

export const request = define({
  name: 'request',
  args: fc.record({ dataset, requester, table: fc.constantFrom(null, 'ships') }),
  async call(real, { dataset, requester, table }) {
    const answer = await real.call('request_compaction', {
      p_dataset_id: dataset,
      p_caller: callerOf(requester),
      p_table: table,
      p_period_tag: null,
      p_sender: SENDER,
    })
    real.sawJob(answer.jobId)
    return { dataset, requester, answer }
  },
  judge(model, { dataset, requester, answer }) {
    const found = model.datasets.get(dataset)
    if (found === undefined) must(answer.outcome === 'unknown_dataset', 'no trigger of an unknown dataset', answer)
    else if (requester !== null && requester !== found.owner)
      must(answer.outcome === 'unknown_dataset', 'no trigger by a stranger', answer)
    else model.request(found, answer)
  },
})

export const dailyRound = define({
  name: 'dailyRound',
  args: fc.record({ limit: fc.integer({ min: 1, max: 3 }) }),
  async call(real, { limit }) {
    const waiting = await real.database.query<{ id: string }>('select id from datasets where compaction_needed')
    const answer = await real.call<{ datasets: { datasetId: string; jobId: string }[] }>('trigger_scheduled', {
      p_limit: limit,
      p_sender: SENDER,
    })
    for (const { jobId } of answer.datasets) real.sawJob(jobId)
    return { limit, waiting: waiting.map(({ id }) => id), answer }
  },
  judge(model, { limit, waiting, answer }) {
    const idle = waiting.filter((id) => {
      const found = model.datasets.get(id)!
      return !model.jobIn(found, 'queued') && !model.jobIn(found, 'running')
    })
    const chosen = answer.datasets.map(({ datasetId }) => datasetId)
    must(
      chosen.length === Math.min(limit, idle.length) && chosen.every((id) => idle.includes(id)),
      'the daily round takes datasets that wait and have no job',
      { chosen, idle },
    )
    for (const { datasetId, jobId } of answer.datasets) model.request(model.datasets.get(datasetId)!, { jobId })
  },
})

export const cancel = define({
  name: 'cancel',
  args: fc.record({ state, back, requester }),
  async call(real, { state, back, requester }) {
    const id = await real.jobIn(state, back)
    if (id === undefined) return undefined
    return { id, requester, answer: await real.call('cancel_job', { p_job_id: id, p_caller: callerOf(requester) }) }
  },
  judge(model, { id, requester, answer }) {
    const job = model.jobs.get(id)!
    if (requester !== null && requester !== job.dataset.owner)
      return must(answer.outcome === 'unknown_job', 'nobody cancels the job of another', answer)
    if (ENDED.includes(job.state)) return must(answer.outcome === 'ended', 'a job that ended stays as it is', answer)
    const began = job.entered || (job.plans.get(job.attempt)?.length ?? 0) > 0
    const atOnce = job.state === 'queued' || !began
    must(
      answer.outcome === (atOnce ? 'cancelled' : 'cancelling'),
      'a job of which no attempt is at work ends at once, another one soon',
      answer,
    )
    if (atOnce) job.state = 'cancelled'
    else job.cancelRequested = true
  },
})

export const retry = define({
  name: 'retry',
  args: fc.record({ state, back, requester }),
  async call(real, { state, back, requester }) {
    const id = await real.jobIn(state, back)
    if (id === undefined) return undefined
    const answer = await real.call('retry_job', { p_job_id: id, p_caller: callerOf(requester), p_sender: SENDER })
    real.sawJob(answer.jobId)
    return { id, requester, answer }
  },
  judge(model, { id, requester, answer }) {
    const job = model.jobs.get(id)!
    if (requester !== null && requester !== job.dataset.owner)
      return must(answer.outcome === 'unknown_job', 'nobody retries the job of another', answer)
    if (job.state !== 'dead' && job.state !== 'cancelled')
      return must(answer.outcome === 'not_dead', 'only a dead or cancelled job is retried', answer)
    model.request(job.dataset, answer)
    job.retried = true
  },
})

export const redrive = define({
  name: 'redrive',
  args: fc.record({ limit: fc.integer({ min: 1, max: 3 }), dryRun: fc.boolean(), requester }),
  async call(real, { limit, dryRun, requester }) {
    const answer = await real.call<{ jobs: { jobId: string; newJobId?: string }[] }>('redrive', {
      p_caller: callerOf(requester),
      p_job_ids: null,
      p_dataset_id: null,
      p_code: null,
      p_dry_run: dryRun,
      p_limit: limit,
      p_sender: SENDER,
    })
    for (const { newJobId } of answer.jobs) real.sawJob(newJobId)
    return { limit, dryRun, requester, answer }
  },
  judge(model, { limit, dryRun, requester, answer }) {
    const dead = [...model.jobs.values()].filter(
      ({ state, retried, dataset }) =>
        state === 'dead' && !retried && (requester === null || dataset.owner === requester),
    )
    const ids = answer.jobs.map(({ jobId }) => jobId)
    must(
      ids.length === Math.min(limit, dead.length) && ids.every((id) => dead.some((job) => job.id === id)),
      'a redrive takes dead jobs that nobody asked for again',
      { ids, dead: dead.map(({ id }) => id) },
    )
    if (dryRun) return
    for (const { jobId, newJobId } of answer.jobs) {
      const job = model.jobs.get(jobId)!
      model.request(job.dataset, { jobId: newJobId })
      job.retried = true
    }
  },
})

export const read = define({
  name: 'read',
  args: fc.record({ dataset, requester, older: fc.option(fc.integer({ min: -1, max: 12 })) }),
  async call(real, { dataset, requester, older }) {
    const [found] = await real.database.query<{ version: number }>(
      'select version from datasets where id = $1',
      dataset,
    )
    const version = older === null ? null : Math.max(0, (found?.version ?? 0) - older)
    const answer = await real.call<Answer & { version?: number; files?: { id: string }[] }>('list_files', {
      p_dataset_id: dataset,
      p_caller: callerOf(requester),
      p_table: null,
      p_period_tag: null,
      p_version: version,
      p_after_table: null,
      p_after_period: null,
      p_after_id: null,
      p_limit: 10_000,
    })
    return { dataset, requester, version, answer }
  },
  async judge(model, { dataset, requester, version, answer }, real) {
    const found = model.datasets.get(dataset)
    if (found === undefined) return must(answer.outcome === 'unknown_dataset', 'nothing of an unknown dataset', answer)
    if (requester !== null && requester !== found.owner)
      return must(answer.outcome === 'unknown_dataset', 'nobody reads the dataset of another', answer)
    const asked = version ?? found.version
    if (asked > found.version) return must(answer.outcome === 'unknown_version', 'no version before it is made', answer)
    if (asked < found.oldestVersion)
      return must(answer.outcome === 'version_gone', 'no version that vacuum has taken', answer)
    must(answer.outcome === 'ok' && answer.version === asked, 'a reader gets the version that it names', answer)
    const names = await real.names(answer.files!.map(({ id }) => id))
    const expected = found.versions.get(asked)!
    must(
      names.length === expected.length && expected.every((name) => names.includes(name)),
      'a version stays what it was when it was made',
      { asked, names, expected },
    )
  },
})
