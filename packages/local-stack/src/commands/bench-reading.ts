import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { asyncBufferFromUrl, parquetMetadataAsync } from 'hyparquet'
import { LogReader } from '../checks/log-reader.ts'
import { runCron } from '../checks/run-cron.ts'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import { DatabaseProxy } from '../faults/database-proxy.ts'
import { FaultPlan } from '../faults/fault-plan.ts'
import { CountingProxy } from '../interop/counting-proxy.ts'
import { makePythonEnvironment } from '../interop/python-environment.ts'
import { DATASET, TABLE, uploadManyFiles } from '../reading/many-files.ts'
import { measureFirstBytes, measureQueries, type QueryFigures } from '../reading/measure-reading.ts'
import { choosePort } from '../stack/choose-port.ts'
import { startStack } from '../stack/start-stack.ts'

const HELP = `npm run bench:reading -- [--files 1000]

Uploads a table as so many files to a stack of its own and reads it through its URL, then once more after they are
merged: requests, bytes and time of queries, the first byte, and what a range costs behind the API.
`
const REQUESTS = 100
const POLL_MS = 500

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { files: { type: 'string', default: '1000' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return void process.stdout.write(HELP)
  const files = Number(values.files)
  const environment = makePythonEnvironment()
  const python = typeof environment === 'string' ? undefined : environment
  if (typeof environment === 'string') console.log(`left out: DuckDB, since ${environment}`)
  const folder = mkdtempSync(join(tmpdir(), 'fusou-reading-'))
  mkdirSync(join(folder, 'files'))
  const supabasePort = await choosePort(0, 'Supabase', 'FUSOU_SUPABASE_PORT')
  const database = new DatabaseProxy({ port: supabasePort })
  const plan = new FaultPlan(1)
  const log = new LogReader()
  const stack = await startStack({
    stateFolder: join(folder, 'state'),
    supabasePort,
    vars: { SUPABASE_URL: await database.listen(), FAULTS_URL: await plan.listen() },
    // counts the operations of the bucket; there are no faults in the plan
    front: join(import.meta.dirname, '../faults/front.ts'),
    onLog: (_, line) => log.read(line),
  })
  const { webUrl, supabaseUrl, publishableKey, users } = stack.info
  const proxy = await CountingProxy.start(webUrl)
  try {
    const token = await signIn(supabaseUrl, publishableKey, users[0]!)
    // catalog and bucket are paired while the bucket is empty; one with so many objects no cron claims by itself
    await runCron(stack.info)
    const expected = await uploadManyFiles({ webUrl, token, folder: join(folder, 'files') }, files)
    const url = (await linkTo(webUrl, token)).replace(webUrl, proxy.url)

    console.log(`\n${files} files, ${expected.rows} rows`)
    const began = performance.now()
    await fetch(url, { method: 'HEAD' })
    console.log(`composed at the first request in ${(performance.now() - began).toFixed(0)} ms`)
    const footer = await footerBytes(url)
    console.log(`composed footer: ${megabytes(footer)} MB, the column: ${megabytes(expected.columnBytes)} MB`)
    printFigures(await measureQueries(url, proxy, expected, python), footer, expected.columnBytes)

    const head = median(await measureFirstBytes(url, { method: 'HEAD' }, REQUESTS))
    const last = median(await measureFirstBytes(url, { headers: { range: 'bytes=-8' } }, REQUESTS))
    const range = { headers: { range: `bytes=${await someAddress(url)}` } }
    const [operationsBefore, callsBefore] = [sum(log.operations), sum(database.calls)]
    const first = median(await measureFirstBytes(url, range, REQUESTS))
    // the lines of the log come after the answers
    await wait(POLL_MS)
    console.log(`first byte, median of ${REQUESTS}: length ${head} ms, end ${last} ms, range ${first} ms`)
    const perRange = (before: number, after: number) => ((after - before) / REQUESTS).toFixed(2)
    console.log(
      `a range costs ${perRange(operationsBefore, sum(log.operations))} operations of the bucket and ` +
        `${perRange(callsBefore, sum(database.calls))} calls of the database`,
    )

    await mergeAll(new FusouClient(webUrl, token))
    console.log('\nmerged')
    printFigures(await measureQueries(url, proxy, expected, python), await footerBytes(url), expected.columnBytes)
  } finally {
    proxy.stop()
    await stack.stop()
    database.stop()
    plan.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function printFigures(figures: readonly QueryFigures[], footer: number, column: number): void {
  console.log('| reader | query | requests | MB | of footer and column | ms |\n|---|---|---:|---:|---:|---:|')
  for (const { reader, query, requests, bytes, milliseconds } of figures) {
    const share = bytes / (query === 'count' ? footer : footer + column)
    const cells = [reader, query, requests, megabytes(bytes), `${share.toFixed(2)} ×`, milliseconds.toFixed(0)]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

async function linkTo(webUrl: string, token: string): Promise<string> {
  const response = await fetch(`${webUrl}/api/datasets/${DATASET}/tables/${TABLE}/links`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: '{}',
  })
  return ((await response.json()) as { url: string }).url
}

async function footerBytes(url: string): Promise<number> {
  const end = await (await fetch(url, { headers: { range: 'bytes=-8' } })).arrayBuffer()
  return new DataView(end).getUint32(0, true) + 8
}

/** 4 KiB in the middle of one of the files. */
async function someAddress(url: string): Promise<string> {
  const { row_groups: rowGroups } = await parquetMetadataAsync(await asyncBufferFromUrl({ url }))
  const start = Number(rowGroups[Math.floor(rowGroups.length / 2)]!.columns[1]!.meta_data!.data_page_offset)
  return `${start}-${start + 4095}`
}

async function mergeAll(client: FusouClient): Promise<void> {
  const jobId = await client.askForMerge(DATASET)
  for (;;) {
    const job = (await client.jobs(DATASET)).find(({ id }) => id === jobId)
    if (job?.state === 'succeeded') return
    if (job?.state === 'dead' || job?.state === 'cancelled') throw new Error(`the merge is ${job.state}`)
    await wait(POLL_MS)
  }
}

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0)
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2)
const median = (ascending: readonly number[]) => ascending[Math.floor(ascending.length / 2)]!.toFixed(0)

await main()
process.exit(0)
