import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { countByKind, readBucket } from '../checks/bucket.ts'
import { checkAll } from '../checks/check-all.ts'
import { StackDatabase } from '../checks/database.ts'
import { Ledger, type SentUpload } from '../checks/ledger.ts'
import { LogReader } from '../checks/log-reader.ts'
import { readVersion } from '../checks/read-version.ts'
import { waitForQuiet } from '../checks/wait-for-quiet.ts'
import { ApiCaller } from '../client/api-caller.ts'
import { DatabaseProxy } from '../faults/database-proxy.ts'
import { FaultPlan } from '../faults/fault-plan.ts'
import { choosePort } from '../stack/choose-port.ts'
import { type Stack, type StackOptions, startStack } from '../stack/start-stack.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { type LoadOwner, signUpOwners } from './load-users.ts'
import { StampedFiles } from './stamped-files.ts'

/** A user may upload 6,000 times a minute; so many clients of one stay far below. */
const CLIENTS_OF_A_USER = 10
const DATA_SETS_OF_A_USER = 2
const TABLES = ['ships', 'ports'] as const
const PERIODS = ['2026-10', '2026-11'] as const
/** Each of so many uploads is sent a second time, as a client does whose answer was lost. */
const REPEAT_EVERY = 20
/** After each of so many uploads somebody lists the dataset: its version must be the same when all is done. */
const READ_EVERY = 50

export interface LoadOptions {
  uploads: number
  clients: number
  /** which upload goes where */
  seed: number
  /** for the state of the stack, the templates and the files read back */
  folder: string
  /** see StackOptions */
  queueBatchSeconds?: number
  onLog?: StackOptions['onLog']
}

export interface LoadReport {
  /** a sentence for each thing that is not as it has to be */
  faults: string[]
  /** requests answered 202, repeats among them */
  accepted: number
  /** uploads that were answered as duplicates */
  duplicates: number
  /** requests that ran again, after a 429, a 5xx or no answer */
  retried: number
  uploadSeconds: number
  /** from the first upload until no job or message is open */
  quietSeconds: number
  /** duration of each request with its retries, ascending */
  latenciesMs: number[]
  /** those of them that were sent with a key; the others were sent with the token of a user */
  keyLatenciesMs: number[]
  /** those sent with the token of a user */
  tokenLatenciesMs: number[]
  /** by state, when all was quiet */
  jobs: Record<string, number>
  /** calls of database functions by name, from the first upload until quiet */
  calls: Record<string, number>
  /** operations of the bucket by Worker and name, from the first upload until quiet */
  operations: Record<string, number>
  /** objects in the bucket by the first part of their keys, before vacuum */
  objects: Record<string, number>
  /** how many of what were held against what was promised, at the end */
  checked: Record<string, number>
}

/** Many clients upload small files to a stack of their own; then each row has to be there once. */
export async function runLoad(options: LoadOptions, progress: ProgressLine): Promise<LoadReport> {
  const supabasePort = await choosePort(0, 'Supabase', 'FUSOU_SUPABASE_PORT')
  const proxy = new DatabaseProxy({ port: supabasePort })
  const plan = new FaultPlan(options.seed)
  const log = new LogReader()
  let stack: Stack | undefined
  try {
    stack = await startStack({
      stateFolder: join(options.folder, 'state'),
      supabasePort,
      vars: { SUPABASE_URL: await proxy.listen(), FAULTS_URL: await plan.listen() },
      // counts the operations of the bucket; there are no faults in the plan
      front: join(import.meta.dirname, '../faults/front.ts'),
      sqlDoor: true,
      ...(options.queueBatchSeconds !== undefined && { queueBatchSeconds: options.queueBatchSeconds }),
      onLog: (source, line) => {
        log.read(line)
        options.onLog?.(source, line)
      },
    })
    const died = stack.failed.then((error) => {
      throw error
    })
    return await Promise.race([new Load(stack, proxy, plan, log, options, progress).run(), died])
  } finally {
    await stack?.stop()
    proxy.stop()
    plan.stop()
  }
}

interface Planned {
  stamp: number
  owner: number
  datasetId: string
  table: string
  periodTag: string
}

class Load {
  readonly #stack: Stack
  readonly #proxy: DatabaseProxy
  readonly #plan: FaultPlan
  readonly #log: LogReader
  readonly #options: LoadOptions
  readonly #progress: ProgressLine
  readonly #ledger = new Ledger()
  readonly #keyLatenciesMs: number[] = []
  readonly #tokenLatenciesMs: number[] = []
  #duplicates = 0

  constructor(
    stack: Stack,
    proxy: DatabaseProxy,
    plan: FaultPlan,
    log: LogReader,
    options: LoadOptions,
    progress: ProgressLine,
  ) {
    this.#stack = stack
    this.#proxy = proxy
    this.#plan = plan
    this.#log = log
    this.#options = options
    this.#progress = progress
  }

  async run(): Promise<LoadReport> {
    const { clients, uploads, folder, seed } = this.#options
    const { info } = this.#stack
    const progress = this.#progress
    const files = await StampedFiles.make(join(folder, 'templates'))
    const owners = await signUpOwners(info, Math.ceil(clients / CLIENTS_OF_A_USER))
    const operator = new ApiCaller('the operator', info.webUrl, async () => info.operatorToken)
    progress.say(`${uploads} uploads by ${clients} clients of ${owners.length} users, seed ${seed}`)

    this.#proxy.calls.clear()
    this.#log.operations.clear()
    const began = Date.now()
    const planned = planUploads(uploads, owners.length, seed)
    const queue = planned.values()
    const client = async () => {
      for (const upload of queue) {
        const { stamp, owner, datasetId } = upload
        await this.#send(upload, owners[owner]!, files, false)
        if (stamp % REPEAT_EVERY === 0) await this.#send(upload, owners[owner]!, files, true)
        if (stamp % READ_EVERY === 0) await readVersion(operator, this.#ledger, datasetId)
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
    const uploadSeconds = (Date.now() - began) / 1000
    progress.say(`✓ uploaded in ${uploadSeconds.toFixed(1)} s`)

    // ask for merges that the policy leaves for later, so that the figures cover everything
    for (const { datasetId, owner } of new Map(planned.map((upload) => [upload.datasetId, upload])).values())
      this.#ledger.noteJob({ jobId: await owners[owner]!.byToken.askForMerge(datasetId) })
    const database = new StackDatabase(() => this.#stack.sqlUrl!)
    await waitForQuiet(info, database, progress)
    const quietSeconds = (Date.now() - began) / 1000
    progress.say(`✓ quiet after ${quietSeconds.toFixed(1)} s`)
    const calls = Object.fromEntries(this.#proxy.calls)
    const operations = Object.fromEntries(this.#log.operations)
    const objects = countByKind(readBucket(info.stateFolder).keys())
    const states = await database.query<{ state: string; count: number }>(
      'select state, count(*)::int from jobs group by state',
    )
    const checked = await checkAll({
      stack: info,
      database,
      plan: this.#plan,
      ledger: this.#ledger,
      log: this.#log,
      operator,
      folder,
      progress,
    })
    const ascending = (durations: readonly number[]) => durations.toSorted((a, b) => a - b)
    const latenciesMs = ascending([...this.#keyLatenciesMs, ...this.#tokenLatenciesMs])
    return {
      faults: this.#ledger.faults,
      accepted: latenciesMs.length,
      duplicates: this.#duplicates,
      retried: owners.reduce((sum, { byToken, byKey }) => sum + byToken.retries + byKey.retries, 0),
      uploadSeconds,
      quietSeconds,
      latenciesMs,
      keyLatenciesMs: ascending(this.#keyLatenciesMs),
      tokenLatenciesMs: ascending(this.#tokenLatenciesMs),
      jobs: Object.fromEntries(states.map(({ state, count }) => [state, count])),
      calls,
      operations,
      objects,
      checked,
    }
  }

  async #send(planned: Planned, owner: LoadOwner, files: StampedFiles, again: boolean): Promise<void> {
    const { stamp, datasetId, table, periodTag } = planned
    const { rows, bytes } = files.file(stamp)
    const { faults, uploads } = this.#ledger
    const from = performance.now()
    const hasKey = stamp % 4 < 2
    const answer = await (hasKey ? owner.byKey : owner.byToken).upload({
      datasetId,
      tableId: table,
      periodTag,
      fileName: `${stamp}.parquet`,
      file: new Blob([bytes]),
      way: stamp % 2 === 0 ? 'raw' : 'multipart',
    })
    const latencies = hasKey ? this.#keyLatenciesMs : this.#tokenLatenciesMs
    latencies.push(performance.now() - from)
    this.#ledger.noteJob(answer)
    if (answer.duplicate) this.#duplicates += 1
    if (again && !answer.duplicate) faults.push(`upload ${stamp}, sent again, was not answered as a duplicate`)
    if (answer.rows !== rows) faults.push(`upload ${stamp} of ${rows} rows was answered with ${answer.rows}`)
    if (!again) uploads.push(sentUpload(planned, rows, bytes))
    this.#progress.show(`uploading: ${this.#keyLatenciesMs.length + this.#tokenLatenciesMs.length} answered`)
  }
}

const sentUpload = ({ stamp, owner, datasetId, table, periodTag }: Planned, rows: number, bytes: Uint8Array) =>
  ({
    datasetId,
    periodTag,
    user: String(owner),
    slices: [{ stamp, rows, table, sha256: createHash('sha256').update(bytes).digest('hex'), rotten: false }],
    must: 'accept',
    fate: 'accepted',
  }) satisfies SentUpload

function planUploads(count: number, owners: number, seed: number): Planned[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: count }, (_, stamp) => {
    const owner = random.between(0, owners - 1)
    return {
      stamp,
      owner,
      datasetId: `load-${owner}-${random.between(1, DATA_SETS_OF_A_USER)}`,
      table: random.pick(TABLES),
      periodTag: random.pick(PERIODS),
    }
  })
}
