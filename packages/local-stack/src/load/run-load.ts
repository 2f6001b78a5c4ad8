import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { choosePort } from '../choose-port.ts'
import { downloadResult } from '../demo/download-result.ts'
import { FusouClient } from '../demo/fusou-client.ts'
import type { ProgressLine } from '../demo/progress-line.ts'
import { SeededRandom } from '../demo/seeded-random.ts'
import { type Stack, type StackOptions, startStack } from '../start-stack.ts'
import { checkRows, type Stored } from './check-rows.ts'
import { countObjects } from './count-objects.ts'
import { CountingProxy } from './counting-proxy.ts'
import { signUpUsers } from './load-users.ts'
import { StampedFiles } from './stamped-files.ts'

/** A user may upload 6,000 times a minute; so many clients of one stay far below. */
const CLIENTS_OF_A_USER = 10
const DATA_SETS_OF_A_USER = 2
const TABLES = ['ships', 'ports'] as const
const PERIODS = ['2026-10', '2026-11'] as const
/** Each of so many uploads is sent a second time, as a client does whose answer was lost. */
const REPEAT_EVERY = 20
const POLL_MS = 500
/** Jobs that make no progress for so long are stuck: longer than a rescue of a lost message takes. */
const STUCK_SECONDS = 600
const SEED = 20_261_122
/** What the load itself asks for while it waits. */
const OWN_LOOKS = ['job_status', 'dead_letter_status']

export interface LoadOptions {
  uploads: number
  clients: number
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
  /** of these, answered as known already */
  duplicates: number
  /** requests that ran again, after a 429, a 5xx or no answer */
  retried: number
  uploadSeconds: number
  /** from the first upload until no job is queued or running */
  quietSeconds: number
  /** of each request with its retries, ascending */
  latenciesMs: number[]
  /** by state */
  jobs: Record<string, number>
  files: number
  /** calls of database functions by name, from the first upload until quiet, without those of the load's own looks */
  calls: Record<string, number>
  /** objects in the bucket by the first part of their keys; of duplicates, some may wait for vacuum */
  objects: Record<string, number>
}

const DeadLetters = z.object({ total: z.int() })

/** Many clients upload small files to a stack of their own; then each row has to be there once. */
export async function runLoad(options: LoadOptions, progress: ProgressLine): Promise<LoadReport> {
  const stateFolder = join(options.folder, 'state')
  const supabasePort = await choosePort(0, 'Supabase', 'FUSOU_SUPABASE_PORT')
  const proxy = new CountingProxy({ port: supabasePort })
  let stack: Stack | undefined
  try {
    const supabaseUrl = await proxy.listen()
    stack = await startStack({
      stateFolder,
      supabasePort,
      vars: { SUPABASE_URL: supabaseUrl },
      ...(options.queueBatchSeconds !== undefined && { queueBatchSeconds: options.queueBatchSeconds }),
      ...(options.onLog !== undefined && { onLog: options.onLog }),
    })
    const died = stack.failed.then((error) => {
      throw error
    })
    return await Promise.race([putUnderLoad(stack, proxy, options, progress), died])
  } finally {
    await stack?.stop()
    proxy.stop()
  }
}

interface Planned extends Stored {
  owner: FusouClient
}

async function putUnderLoad(
  { info }: Stack,
  proxy: CountingProxy,
  { uploads, clients, folder }: LoadOptions,
  progress: ProgressLine,
): Promise<LoadReport> {
  const files = await StampedFiles.make(join(folder, 'templates'))
  const owners = await signUpUsers(info, Math.ceil(clients / CLIENTS_OF_A_USER))
  const operator = new FusouClient(info.webUrl, info.operatorToken)
  const planned = planUploads(uploads, owners, files)
  progress.say(`${uploads} uploads by ${clients} clients of ${owners.length} users`)

  const faults: string[] = []
  const latenciesMs: number[] = []
  let duplicates = 0
  proxy.calls.clear()
  const began = Date.now()
  const send = async ({ upload, rows, datasetId, table, periodTag, owner }: Planned, again: boolean) => {
    const from = performance.now()
    const answer = await owner.upload({
      datasetId,
      tableId: table,
      periodTag,
      fileName: `${upload}.parquet`,
      file: new Blob([files.file(upload).bytes]),
      way: upload % 2 === 0 ? 'raw' : 'multipart',
    })
    latenciesMs.push(performance.now() - from)
    if (answer.duplicate) duplicates += 1
    if (again && !answer.duplicate) faults.push(`upload ${upload}, sent again, was not answered as a duplicate`)
    if (answer.rows !== rows) faults.push(`upload ${upload} of ${rows} rows was answered with ${answer.rows}`)
    progress.show(`uploading: ${latenciesMs.length} answered`)
  }
  const queue = planned.values()
  const client = async () => {
    for (const upload of queue) {
      await send(upload, false)
      if (upload.upload % REPEAT_EVERY === 0) await send(upload, true)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const uploadSeconds = (Date.now() - began) / 1000
  progress.say(`✓ uploaded in ${uploadSeconds.toFixed(1)} s`)

  // what the policy leaves for later is asked for, so that the figures are of all there is to merge
  const ownerOf = new Map(planned.map(({ datasetId, owner }) => [datasetId, owner]))
  for (const [datasetId, owner] of ownerOf) await owner.askForMerge(datasetId)
  const { jobs, faults: stuck } = await waitForQuiet(operator, progress)
  const quietSeconds = (Date.now() - began) / 1000
  faults.push(...stuck)
  const { total } = DeadLetters.parse(JSON.parse(await operator.deadLetters()))
  if (total > 0) faults.push(`${total} dead jobs and letters`)
  progress.say(`✓ quiet after ${quietSeconds.toFixed(1)} s`)
  const calls = Object.fromEntries([...proxy.calls].filter(([name]) => !OWN_LOOKS.includes(name)))
  const objects = countObjects(info.stateFolder)

  const result = await downloadResult(
    [...ownerOf.keys()],
    (datasetId) => ownerOf.get(datasetId)!,
    join(folder, 'result'),
    (done, all) => progress.show(`reading: ${done} of ${all} files`),
  )
  faults.push(...result.faults, ...(await checkRows(planned, result.files)))
  return {
    faults,
    accepted: latenciesMs.length,
    duplicates,
    retried: owners.reduce((sum, owner) => sum + owner.retries, 0),
    uploadSeconds,
    quietSeconds,
    latenciesMs: latenciesMs.sort((a, b) => a - b),
    jobs,
    files: result.files.length,
    calls,
    objects,
  }
}

function planUploads(count: number, owners: readonly FusouClient[], files: StampedFiles): Planned[] {
  const random = new SeededRandom(SEED)
  return Array.from({ length: count }, (_, upload) => {
    const owner = random.between(0, owners.length - 1)
    return {
      upload,
      rows: files.file(upload).rows,
      owner: owners[owner]!,
      datasetId: `load-${owner}-${random.between(1, DATA_SETS_OF_A_USER)}`,
      table: random.pick(TABLES),
      periodTag: random.pick(PERIODS),
    }
  })
}

/** @returns the jobs by state, and a fault if some neither end nor are followed by others */
async function waitForQuiet(operator: FusouClient, progress: ProgressLine) {
  let ended = -1
  let movedAt = Date.now()
  for (;;) {
    const { jobs } = await operator.jobStatus()
    const open = jobs.queued + jobs.running
    if (open === 0) return { jobs, faults: [] }
    const now = jobs.succeeded + jobs.dead + jobs.cancelled
    if (now !== ended) movedAt = Date.now()
    ended = now
    if (Date.now() - movedAt > STUCK_SECONDS * 1000)
      return { jobs, faults: [`${jobs.queued} queued and ${jobs.running} running jobs are stuck`] }
    progress.show(`compacting: ${jobs.queued} queued, ${jobs.running} running, ${ended} ended`)
    await wait(POLL_MS)
  }
}
