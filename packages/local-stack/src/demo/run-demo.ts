import { join } from 'node:path'
import { FusouClient, signIn } from '../client/fusou-client.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import { ProgressLine } from '../support/progress-line.ts'
import { ASKED, compactBothWays, SCHEDULED } from './compact-both-ways.ts'
import { compareWithSource } from './compare-with-source.ts'
import { cutSource, type Upload } from './cut-source.ts'
import { downloadResult } from './download-result.ts'
import { countRowGroups, printSizes } from './measure-files.ts'
import { timeQueries } from './time-queries.ts'
import { uploadAll, uploadOne } from './upload-all.ts'

const CLIENTS_OF_A_USER = 4

/**
 * The main job on three million flights, through the front door of a running stack.
 * @param started when the stack began to start, in ms since 1970
 * @returns a sentence for each difference between what went in and what came out
 */
export async function runDemo(stack: StackInfo, folder: string, started: number): Promise<string[]> {
  const progress = new ProgressLine()
  const faults: string[] = []
  const stages: [string, number][] = [['start the stack', Date.now() - started]]
  const stage = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const from = Date.now()
    const result = await run()
    stages.push([name, Date.now() - from])
    progress.say(`✓ ${name}: ${seconds(Date.now() - from)}`)
    return result
  }
  progress.say(`✓ start the stack: ${seconds(stages[0]![1])}`)

  const fragmentFolder = join(folder, 'fragments')
  const { connection, partitions, uploads } = await stage('cut the source into fragments', () =>
    cutSource(fragmentFolder, (done, all) => progress.show(`cutting: ${done} of ${all} files`)),
  )
  const fragments = uploads.flatMap((upload) => upload.fragments)
  const bundles = uploads.filter(({ bundle }) => bundle)
  progress.say(
    `  ${count(fragments.length)} fragments of ${count(sum(fragments, (f) => f.rows))} rows, ` +
      `${fragments.filter((f) => f.rows === 0).length} of them empty; ${uploads.length - bundles.length} files alone, ` +
      `${sum(bundles, (b) => b.fragments.length)} slices in ${bundles.length} objects; ${partitions.length} partitions`,
  )

  const operator = new FusouClient(stack.webUrl, stack.operatorToken)
  const [ada, bob] = await Promise.all(
    stack.users.map(async (user) => {
      const token = await signIn(stack.supabaseUrl, stack.publishableKey, user)
      return new FusouClient(stack.webUrl, token)
    }),
  )
  const owners = { ada: ada!, bob: bob! }
  const ownerOf = (datasetId: string) => owners[datasetId.split('-')[0] as keyof typeof owners]
  // the datasets of the nightly round last: what jobs their uploads call for are cancelled before they begin
  const inOrder = (datasetIds: readonly string[]) => uploads.filter(({ datasetId }) => datasetIds.includes(datasetId))
  const ordered = [...inOrder(ASKED), ...inOrder(SCHEDULED)]
  const sent = await stage('upload', async () => {
    let done = 0
    const all = await Promise.all(
      Object.values(owners).map((client) => {
        const own = ordered.filter(({ datasetId }) => ownerOf(datasetId) === client)
        return uploadAll(client, own, CLIENTS_OF_A_USER, () => {
          done += 1
          progress.show(`uploading: ${done} of ${uploads.length} objects`)
        })
      }),
    )
    return all.flat()
  })
  progress.say(
    `  ${sent.length} objects by ${2 * CLIENTS_OF_A_USER} clients, half as raw bodies, half as forms; ` +
      `${sent.filter(({ answer }) => answer.duplicate).length} were known (equal empty files), ` +
      `${ada!.retries + bob!.retries} requests repeated`,
  )
  for (const { upload, answer } of sent) {
    const rows = sum(upload.fragments, (fragment) => fragment.rows)
    if (answer.rows !== rows) faults.push(`an upload to ${upload.datasetId} of ${rows} rows answered ${answer.rows}`)
  }
  const again = largest(uploads.filter(({ bundle }) => !bundle))
  const second = await uploadOne(ownerOf(again.datasetId), again, 'raw')
  progress.say(`  the same file once more: duplicate = ${second.duplicate}`)
  if (!second.duplicate) faults.push('a file uploaded twice was not answered as a duplicate')

  const ways = await stage('compact', () => compactBothWays(operator, ownerOf, progress))
  progress.say(
    `  ${ways.realtime} realtime, ${ways.manual} manual and ${ways.scheduled} scheduled jobs did it; ${ways.cancelled} ` +
      `cancelled before the nightly trigger, which took ${ways.calls} calls`,
  )
  if (ways.manual === 0 || ways.scheduled === 0) faults.push('not both ways of compaction were used')

  const datasetIds = [...ASKED, ...SCHEDULED]
  const result = await stage('read the result over HTTP', () =>
    downloadResult(datasetIds, ownerOf, join(folder, 'result'), (done, all) =>
      progress.show(`reading: ${done} of ${all} files`),
    ),
  )
  faults.push(...result.faults)
  faults.push(
    ...(await stage('compare with the source', () =>
      compareWithSource(connection, partitions, result.files, progress),
    )),
  )

  const before = await countRowGroups(connection, storedOnce(uploads))
  const after = await countRowGroups(connection, result.files)
  progress.say(printSizes(before, after))
  const resultPaths = result.files.map(({ path }) => path)
  const paths = before.map(({ path }) => path)
  progress.say(await timeQueries(connection, paths, resultPaths))
  progress.say(stages.map(([name, ms]) => `${name.padEnd(32)}${seconds(ms).padStart(9)}`).join('\n'))
  progress.say(`${'all'.padEnd(32)}${seconds(Date.now() - started).padStart(9)}`)
  return faults
}

/** The fragments that the catalog keeps: equal bytes in a partition are stored once. */
function storedOnce(uploads: readonly Upload[]) {
  const kept = new Map(
    uploads.flatMap(({ fragments }) =>
      fragments.map((fragment) => {
        const { datasetId, table, periodTag } = fragment.partition
        return [
          JSON.stringify([datasetId, table, periodTag, fragment.sha256]),
          { ...fragment, datasetId, table, periodTag },
        ]
      }),
    ),
  )
  return [...kept.values()]
}

const sum = <T>(items: readonly T[], value: (item: T) => number) =>
  items.reduce((total, item) => total + value(item), 0)
const largest = (uploads: Upload[]) => uploads.reduce((a, b) => (b.fragments[0]!.rows > a.fragments[0]!.rows ? b : a))
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const count = (n: number) => n.toLocaleString('en')
