import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { AnswerError, FusouClient, signIn } from '../client/fusou-client.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import { COLUMNS, type Upload } from './cut-source.ts'
import { downloadResult } from './download-result.ts'
import { FLIGHTS } from './flights-file.ts'
import { countRowGroups, printSizes } from './measure-files.ts'
import { timeQueries } from './time-queries.ts'
import { uploadAll } from './upload-all.ts'

export const SAMPLE_DATASET = 'sample'
const FILES = 150
const ROWS_OF_A_FILE = 300
const CLIENTS = 4
const POLL_MS = 300

/**
 * Upload many small files to a running stack, have them merged, and say what there was before and after. A repetition
 * uploads the same files, which are known then.
 * @param folder made, and removed at the end
 * @throws AnswerError when the stack refuses an upload or a merge
 */
export async function runSample(stack: StackInfo, folder: string, progress: ProgressLine): Promise<void> {
  const [user] = stack.users
  const client = new FusouClient(stack.webUrl, await signIn(stack.supabaseUrl, stack.publishableKey, user!))
  const connection = await (await DuckDBInstance.create()).connect()
  try {
    const uploads = await cutSample(connection, join(folder, 'fragments'))
    let done = 0
    const sent = await uploadAll(client, uploads, CLIENTS, () => {
      done += 1
      progress.show(`sample: ${done} of ${FILES} small files are uploaded`)
    })
    const known = sent.filter(({ answer }) => answer.duplicate).length
    progress.say(
      `sample: ${FILES} small files of ${ROWS_OF_A_FILE} flights each were uploaded to the dataset ${SAMPLE_DATASET}` +
        (known > 0 ? `; ${known} of them were there before` : ''),
    )
    await client.askForMerge(SAMPLE_DATASET)
    await waitForJobs(client, progress)
    const fragments = uploads.map(({ datasetId, periodTag, fragments: [fragment] }) => ({
      ...fragment!,
      datasetId,
      periodTag,
      table: fragment!.partition.table,
    }))
    const result = await downloadResult(
      [SAMPLE_DATASET],
      () => client,
      join(folder, 'result'),
      () => {},
    )
    if (result.faults.length > 0) throw new AnswerError(result.faults.join('\n'))
    const before = await countRowGroups(connection, fragments)
    const after = await countRowGroups(connection, result.files)
    progress.say(printSizes(before, after).split('\n').slice(0, 2).join('\n'))
    const paths = [before, after].map((files) => files.map(({ path }) => path))
    progress.say(await timeQueries(connection, paths[0]!, paths[1]!))
  } finally {
    connection.closeSync()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function cutSample(connection: DuckDBConnection, folder: string): Promise<Upload[]> {
  mkdirSync(folder, { recursive: true })
  const place = { datasetId: SAMPLE_DATASET, periodTag: '2001-01' }
  const rows = FILES * ROWS_OF_A_FILE
  const partition = { ...place, table: 'flights', firstRow: 0, rows }
  await connection.run(
    `create table source as select ${COLUMNS.join(', ')} from read_parquet('${FLIGHTS}') limit ${rows}`,
  )
  const uploads: Upload[] = []
  for (let firstRow = 0; firstRow < rows; firstRow += ROWS_OF_A_FILE) {
    const path = join(folder, `${String(uploads.length).padStart(3, '0')}.parquet`)
    await connection.run(`copy (
      select * from source where rowid >= ${firstRow} and rowid < ${firstRow + ROWS_OF_A_FILE}
    ) to '${path}' (format parquet)`)
    const bytes = readFileSync(path)
    const fragment = {
      partition,
      firstRow,
      rows: ROWS_OF_A_FILE,
      compression: 'snappy' as const,
      rowGroupRows: ROWS_OF_A_FILE,
      path,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }
    uploads.push({ ...place, fragments: [fragment], bundle: false })
  }
  return uploads
}

async function waitForJobs(client: FusouClient, progress: ProgressLine): Promise<void> {
  for (;;) {
    const jobs = await client.jobs(SAMPLE_DATASET)
    const dead = jobs.find(({ state }) => state === 'dead')
    if (dead) throw new AnswerError(`job ${dead.id} of the dataset ${SAMPLE_DATASET} died; see the logs`)
    const open = jobs.filter(({ state }) => state === 'queued' || state === 'running').length
    if (open === 0) return
    progress.show(`sample: ${open} ${open === 1 ? 'job is' : 'jobs are'} merging them`)
    await wait(POLL_MS)
  }
}
