import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Ledger, SentSlice, SentUpload } from '../checks/ledger.ts'
import { type Answer, type ApiCaller, type Call, passes, succeeded } from '../client/api-caller.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { ChaosFiles } from './chaos-files.ts'
import { type ChaosDataset, DATASETS, PERIODS, TABLES } from './world.ts'

/** As often as a patient client tries an upload whose answer does not come. */
const TRIES = 8
const MAX_SLICES = 5
const UploadAnswer = z.object({ rows: z.int(), duplicate: z.boolean() })

interface Part {
  slice: SentSlice
  bytes: Uint8Array<ArrayBuffer>
}

interface Prepared {
  upload: SentUpload
  call: Call
}

/** Actions of clients that upload: files of all sorts, alone or several in an object, their own and others', once or again. */
export class UploadActions {
  readonly #users: readonly ApiCaller[]
  readonly #files: ChaosFiles
  readonly #ledger: Ledger
  /** sent before and may be sent again */
  readonly #repeatable: Prepared[] = []
  #contested = 0

  constructor(users: readonly ApiCaller[], files: ChaosFiles, ledger: Ledger) {
    this.#users = users
    this.#files = files
    this.#ledger = ledger
  }

  /** The first upload of a dataset makes its owner. */
  found(dataset: ChaosDataset, random: SeededRandom): Promise<void> {
    return this.#send(this.#prepare(dataset, [this.#files.sound(TABLES[0])], random), dataset.owner, TRIES)
  }

  whole(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const table = random.pick(TABLES)
    const rotten = dataset.halfRotten && random.next() < 0.5
    return this.#sendTo(dataset, [rotten ? this.#files.rotten(table) : this.#files.sound(table)], random)
  }

  /** Several tables end to end in one object, some without rows. */
  sliced(random: SeededRandom): Promise<void> {
    const parts = random
      .shuffled(TABLES)
      .flatMap((table) => Array.from({ length: random.between(0, 2) }, () => this.#files.sound(table)))
      .slice(0, MAX_SLICES)
    if (random.next() < 0.3) parts.push(this.#files.empty(random.pick(TABLES)))
    if (parts.length === 0) parts.push(this.#files.sound(TABLES[1]))
    return this.#sendTo(random.pick(DATASETS), parts, random, true)
  }

  rotten(random: SeededRandom): Promise<void> {
    return this.#sendTo(random.pick(DATASETS), [this.#files.rotten(random.pick(TABLES))], random)
  }

  bad(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const prepared = this.#prepare(dataset, [this.#files.bad(random.pick(TABLES), random)], random)
    prepared.upload.must = 'refuse'
    return this.#send(prepared, dataset.owner, TRIES)
  }

  hostile(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const prepared = this.#prepare(dataset, [this.#files.hostile(random.pick(TABLES))], random)
    prepared.upload.must = 'refuse'
    return this.#send(prepared, dataset.owner, TRIES)
  }

  foreign(random: SeededRandom): Promise<void> {
    const dataset = random.pick(DATASETS)
    const stranger = (dataset.owner + random.between(1, this.#users.length - 1)) % this.#users.length
    const prepared = this.#prepare(dataset, [this.#files.sound(random.pick(TABLES))], random)
    prepared.upload.must = 'refuse'
    return this.#send(prepared, stranger, TRIES)
  }

  /** Two users send the first file of one dataset at once: one of them becomes its owner. */
  async contested(random: SeededRandom): Promise<void> {
    const dataset = { id: `contested-${this.#contested++}`, owner: 0, shortLived: false, halfRotten: false }
    const racers = [0, 1].map((user) => {
      const prepared = this.#prepare(dataset, [this.#files.sound(TABLES[0])], random)
      prepared.upload.must = 'either'
      return this.#send(prepared, user, TRIES)
    })
    await Promise.all(racers)
  }

  /** A file by somebody else than the owner: by a key, or by whoever has a role at this moment. */
  by(caller: ApiCaller, dataset: ChaosDataset, must: SentUpload['must'], random: SeededRandom): Promise<void> {
    const prepared = this.#prepare(dataset, [this.#files.sound(random.pick(TABLES))], random)
    prepared.upload.must = must
    return this.#sendBy(caller, prepared, TRIES)
  }

  /** The same bytes to the same place again; what was answered once must now be answered as a duplicate. */
  async again(random: SeededRandom): Promise<void> {
    if (this.#repeatable.length === 0) return
    const { upload, call } = random.pick(this.#repeatable)
    const known = upload.fate === 'accepted' && this.#ledger.isCatalogWhole
    const { setBacks } = this.#ledger
    const user = this.#users.findIndex(({ name }) => name === upload.user)
    const answer = await this.#users[user]!.insist(call, TRIES)
    this.#judge(upload, answer, 'again')
    const { duplicate } = UploadAnswer.safeParse(answer.body).data ?? {}
    if (known && duplicate === false && setBacks === this.#ledger.setBacks)
      this.#ledger.faults.push(`${describe(upload)} was sent again and stored again`)
  }

  #sendTo(dataset: ChaosDataset, parts: Part[], random: SeededRandom, offsets = false): Promise<void> {
    const prepared = this.#prepare(dataset, parts, random, offsets)
    if (!dataset.shortLived) this.#repeatable.push(prepared)
    // a short-lived dataset forgets merged contents, and would store them again
    return this.#send(prepared, dataset.owner, dataset.shortLived ? 1 : random.between(1, TRIES))
  }

  #prepare(dataset: ChaosDataset, parts: Part[], random: SeededRandom, offsets = parts.length > 1): Prepared {
    const periodTag = random.pick(PERIODS)
    const blob = new Blob(parts.map(({ bytes }) => bytes))
    let start_byte = 0
    const tableOffsets = parts.map(({ slice: { table }, bytes }) => {
      const entry = { table_name: table, start_byte, byte_length: bytes.length, format: 'parquet' }
      start_byte += bytes.length
      return entry
    })
    const names = {
      datasetId: dataset.id,
      tableId: parts[0]!.slice.table,
      periodTag,
      ...(offsets && { tableOffsets: JSON.stringify(tableOffsets) }),
    }
    const slices = parts.map(({ slice }) => slice)
    const upload: SentUpload = { datasetId: dataset.id, periodTag, user: '', slices, must: 'accept', fate: 'unknown' }
    this.#ledger.uploads.push(upload)
    return { upload, call: random.next() < 0.5 ? rawCall(names, blob) : formCall(names, blob) }
  }

  #send(prepared: Prepared, user: number, tries: number): Promise<void> {
    return this.#sendBy(this.#users[user]!, prepared, tries)
  }

  async #sendBy(caller: ApiCaller, { upload, call }: Prepared, tries: number): Promise<void> {
    upload.user = caller.name
    for (let tried = 1; tried <= tries; tried += 1) {
      const answer = await caller.call(call)
      this.#judge(upload, answer, 'upload')
      if (!passes(answer)) return
      await wait(300 * tried)
    }
  }

  #judge(upload: SentUpload, answer: Answer, what: string): void {
    this.#ledger.note(what, answer.status)
    this.#ledger.noteJob(answer.body)
    const rows = upload.slices.reduce((sum, slice) => sum + slice.rows, 0)
    if (succeeded(answer)) {
      upload.fate = 'accepted'
      const told = UploadAnswer.safeParse(answer.body).data?.rows
      if (upload.must === 'refuse') this.#ledger.faults.push(`${describe(upload)} was accepted`)
      else if (told !== rows) this.#ledger.faults.push(`${describe(upload)} of ${rows} rows was answered with ${told}`)
    } else if (!passes(answer)) {
      if (upload.fate !== 'accepted') upload.fate = 'refused'
      if (upload.must === 'accept')
        this.#ledger.faults.push(`${describe(upload)} was refused: ${answer.status} ${answer.code}`)
    }
  }
}

const describe = ({ datasetId, periodTag, user, slices }: SentUpload) =>
  `the upload of ${slices.map(({ stamp, table }) => `${table} #${stamp}`).join(', ')} to ${datasetId}/${periodTag} by ${user}`

function rawCall(names: Record<string, string>, body: Blob): Call {
  const path = `/api/compaction/upload?${new URLSearchParams({ ...names, fileName: 'chaos.parquet' })}`
  return { method: 'POST', path, body, headers: { 'content-type': 'application/vnd.apache.parquet' } }
}

function formCall(names: Record<string, string>, file: Blob): Call {
  const form = new FormData()
  for (const [name, value] of Object.entries(names)) form.set(name, value)
  form.set('file', file, 'chaos.parquet')
  return { method: 'POST', path: '/api/compaction/upload', body: form }
}
