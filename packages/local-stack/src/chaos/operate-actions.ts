import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { readEnvironments } from '../../../../deploy/wrangler-config.ts'
import type { Ledger } from '../checks/ledger.ts'
import { type ReadFile, readVersion } from '../checks/read-version.ts'
import { type Answer, type ApiCaller, type Call, succeeded } from '../client/api-caller.ts'
import { SendError, sendToLocalQueue } from '../client/send-to-queue.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import { type ChaosDataset, DATASETS, PERIODS, TABLES } from './world.ts'

const QUEUE = readEnvironments().production.queue

const JobsPage = z.object({ jobs: z.array(z.object({ id: z.uuid(), state: z.string(), datasetId: z.string() })) })
const QuarantinePage = z.object({ files: z.array(z.object({ id: z.uuid() })) })

/** Actions of owners, operators and readers besides uploading. */
export class OperateActions {
  readonly #users: readonly ApiCaller[]
  readonly #operator: ApiCaller
  readonly #ledger: Ledger
  readonly #stack: () => StackInfo

  constructor(users: readonly ApiCaller[], operator: ApiCaller, ledger: Ledger, stack: () => StackInfo) {
    this.#users = users
    this.#operator = operator
    this.#ledger = ledger
    this.#stack = stack
  }

  async sanitize(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const scope = random.pick([{}, { table: random.pick(TABLES) }, { table: TABLES[0], periodTag: PERIODS[0] }])
    const path = '/api/compaction/sanitize-state'
    const json = { datasetId: dataset.id, ...scope }
    const answer = await this.#ask('sanitize', this.#ownerOr(dataset, random), { method: 'POST', path, json })
    this.#ledger.noteJob(answer.body)
  }

  async sanitizeForeign(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const stranger = this.#users[(dataset.owner + 1) % this.#users.length]!
    const json = { datasetId: dataset.id }
    const path = '/api/compaction/sanitize-state'
    const answer = await this.#ask('sanitize foreign', stranger, { method: 'POST', path, json })
    if (succeeded(answer)) this.#ledger.faults.push(`${stranger.name} triggered ${dataset.id} of somebody else`)
  }

  async triggerScheduled(random: SeededRandom): Promise<void> {
    const json = { limit: random.between(1, 10) }
    const path = '/api/compaction/trigger-scheduled'
    const answer = await this.#ask('trigger', this.#operator, { method: 'POST', path, json })
    const { datasets = [] } = (succeeded(answer) ? answer.body : {}) as { datasets?: object[] }
    for (const dataset of datasets) this.#ledger.noteJob(dataset)
  }

  async cancel(random: SeededRandom): Promise<void> {
    const job = await this.#aJob(random, random.pick(['running', 'queued', 'running', 'succeeded']))
    if (job === undefined) return
    // asked for even where no answer comes
    this.#ledger.cancels.add(job.id)
    await this.#ask('cancel', this.#ownerOr(datasetOf(job.datasetId), random), {
      method: 'DELETE',
      path: `/api/jobs/${job.id}`,
    })
  }

  async retry(random: SeededRandom): Promise<void> {
    const job = await this.#aJob(random, random.pick(['dead', 'cancelled', 'cancelled', 'succeeded']))
    if (job === undefined) return
    const path = `/api/jobs/${job.id}/retry`
    const answer = await this.#ask('retry', this.#ownerOr(datasetOf(job.datasetId), random), { method: 'POST', path })
    this.#ledger.noteJob(answer.body)
  }

  async redrive(random: SeededRandom): Promise<void> {
    const filter = random.pick([{}, { datasetId: random.pick(DATASETS).id }, { code: 'corrupt_file' }])
    const json = { ...filter, dryRun: random.next() < 0.3 }
    const answer = await this.#ask('redrive', this.#operator, {
      method: 'POST',
      path: '/api/compaction/redrive',
      json,
    })
    const { jobs = [] } = (succeeded(answer) ? answer.body : {}) as { jobs?: { newJobId?: string }[] }
    for (const { newJobId } of jobs) this.#ledger.noteJob({ jobId: newJobId })
  }

  /** A file in quarantine is to be tried again; where it is rotten, the next merge sets it aside once more. */
  async release(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const caller = this.#ownerOr(dataset, random)
    const path = `/api/datasets/${dataset.id}/files?quarantined=only&limit=20`
    const answer = await this.#ask('list quarantine', caller, { path })
    const files = succeeded(answer) ? QuarantinePage.parse(answer.body).files : []
    if (files.length === 0) return
    await this.#ask('release', caller, { method: 'POST', path: `/api/files/${random.pick(files).id}/release` })
  }

  /** As an operator does who knows no more than the dataset, or a producer that repeats itself. */
  async sendByHand(random: SeededRandom): Promise<void> {
    const datasetId = random.pick(DATASETS).id
    const job = await this.#aJob(random, random.pick(['queued', 'running', 'succeeded', 'cancelled']))
    const body = random.pick<object>([
      { datasetId },
      { datasetId, table: random.pick(TABLES), priority: 'scheduled' },
      { datasetId, triggeredAt: new Date().toISOString(), metricId: 'by-hand' },
      job === undefined ? { datasetId } : { datasetId: job.datasetId, jobId: job.id },
    ])
    await this.#send('send by hand', body)
  }

  /** Messages that nothing can be done with; each carries a mark by which it is known again. */
  async sendPoison(random: SeededRandom): Promise<void> {
    const mark = `poison-${randomUUID()}`
    this.#ledger.notePoison(mark)
    const body = random.pick<unknown>([
      { datasetId: mark },
      { datasetId: `no such name: ${mark}` },
      { datasetId: 7, mark },
      { datasetId: random.pick(DATASETS).id, jobId: randomUUID(), metricId: mark },
      { mark },
      [mark],
      `{"datasetId": ${mark}`,
    ])
    await this.#send('send poison', body)
  }

  /** Lists a dataset as it is, and holds a version that was seen before against what it was. */
  async read(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const reader = this.#ownerOr(dataset, random)
    const files = await readVersion(reader, this.#ledger, dataset.id)
    const known = [...this.#ledger.versions.values()].filter(({ datasetId }) => datasetId === dataset.id)
    if (known.length > 0) await readVersion(reader, this.#ledger, dataset.id, random.pick(known).version)
    if (files !== undefined && files.length > 0) await this.#download(reader, dataset, random.pick(files))
  }

  async #download(reader: ApiCaller, { shortLived }: ChaosDataset, file: ReadFile): Promise<void> {
    const { status, bytes } = await reader.bytes(`/api/files/${file.id}`)
    this.#ledger.note('download', status)
    if (status === 200) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (sha256 !== file.sha256) this.#ledger.faults.push(`file ${file.id} was read with other bytes than listed`)
    } else if (status === 404 && !shortLived) {
      this.#ledger.faults.push(`file ${file.id} was listed and is unknown`)
    }
  }

  async #send(what: string, body: unknown): Promise<void> {
    const contentType = typeof body === 'string' ? 'text' : 'json'
    try {
      await sendToLocalQueue(this.#stack(), QUEUE, { body, contentType })
      this.#ledger.note(what, 'sent')
    } catch (error) {
      if (!(error instanceof SendError)) throw error
      this.#ledger.note(what, 'not sent')
    }
  }

  async #ask(what: string, caller: ApiCaller, call: Call): Promise<Answer> {
    const answer = await caller.call(call)
    this.#ledger.note(what, answer.status)
    return answer
  }

  async #aJob(random: SeededRandom, state: string) {
    const answer = await this.#ask('jobs', this.#operator, { path: `/api/jobs?state=${state}&limit=20` })
    const jobs = succeeded(answer) ? JobsPage.parse(answer.body).jobs : []
    return jobs.length === 0 ? undefined : random.pick(jobs)
  }

  #ownerOr({ owner }: Pick<ChaosDataset, 'owner'>, random: SeededRandom): ApiCaller {
    return random.next() < 0.3 ? this.#operator : this.#users[owner]!
  }
}

/** A contested dataset has an owner that the chaos does not know; its first racer asks. */
const datasetOf = (id: string) => DATASETS.find((dataset) => dataset.id === id) ?? { owner: 0 }
