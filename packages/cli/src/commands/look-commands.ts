import { items, unwrap } from '@fusou/client'
import { Option } from 'commander'
import { type Commands, limitOption, type Place, parsePlace, path, take, wholeNumber } from '../commands.ts'
import { downloadFiles } from '../download-files.ts'
import { Failure } from '../failure.ts'
import { bytes, count, fields, table } from '../print.ts'

export function addLookCommands(commands: Commands): void {
  const { program } = commands
  program
    .command('ls')
    .description('Datasets, or the tables of one, or the files of a table')
    .argument('[place]', 'dataset or dataset/table', parsePlace)
    .addOption(
      new Option('--scope <scope>', 'of datasets')
        .choices(['own', 'shared', 'public', 'all', 'deleted'])
        .default('all'),
    )
    .addOption(limitOption(1000))
    .action(async (place: Place | undefined, { scope, limit }) => {
      const { GET } = commands.client.api
      if (place === undefined) {
        const datasets = await take(
          items(
            (cursor) => unwrap(GET('/api/datasets', { params: { query: { scope, ...(cursor && { cursor }) } } })),
            (page) => page.datasets,
          ),
          limit,
        )
        commands.show(datasets, () =>
          table(
            datasets.map((one) => ({ ...one, role: one.role ?? 'operator' })),
            ['id', 'role', 'version', 'lastCompactedAt'],
          ),
        )
      } else if (place.table === undefined) {
        const of = { id: place.datasetId }
        const tables = await take(
          items(
            (cursor) =>
              unwrap(GET('/api/datasets/{id}/tables', { params: { path: of, query: { ...(cursor && { cursor }) } } })),
            (page) => page.tables,
          ),
          limit,
        )
        commands.show(tables, () =>
          table(tables, ['table', 'files', 'fragments', 'rows', 'bytes', 'periods', 'schemas']),
        )
      } else {
        const of = { id: place.datasetId }
        const { table: name } = place
        const files = await take(
          items(
            (cursor) =>
              unwrap(
                GET('/api/datasets/{id}/files', {
                  params: { path: of, query: { table: name, ...(cursor && { cursor }) } },
                }),
              ),
            (page) => page.files,
          ),
          limit,
        )
        commands.show(files, () =>
          table(files, ['id', 'periodTag', 'level', 'rows', 'bytes', 'quarantine', 'createdAt']),
        )
      }
    })
  program
    .command('describe')
    .description('A dataset, or a table with its columns, settings, and what its small files wait for')
    .argument('<place>', 'dataset or dataset/table', parsePlace)
    .action(async ({ datasetId, table: name }: Place) => {
      const { GET } = commands.client.api
      if (name === undefined) {
        const dataset = await unwrap(GET('/api/datasets/{id}', path({ id: datasetId })))
        return commands.show(dataset, () => fields(dataset))
      }
      const found = await unwrap(GET('/api/datasets/{id}/tables/{table}', path({ id: datasetId, table: name })))
      commands.show(found, () => {
        const { schemas, waiting, tiers, files, ...rest } = found
        const columns = schemas[0]?.columns ?? []
        const waits = waiting.map(({ periodTag, newFiles, due, dueAt }) => ({
          period: periodTag,
          newFiles,
          due,
          dueAt,
        }))
        return [
          fields({ ...rest, ...files }),
          `\n${table(columns, ['name', 'type', 'nullable', 'sortable'])}`,
          `\n${table(tiers, ['tier', 'files', 'rows', 'bytes'])}`,
          waits.length === 0 ? '' : `\nwaiting to be merged\n${table(waits, ['period', 'newFiles', 'due', 'dueAt'])}`,
        ].join('')
      })
    })
  program
    .command('versions')
    .description('The versions of a dataset, and what each changed')
    .argument('<dataset>')
    .addOption(limitOption(50))
    .action(async (id: string, { limit }) => {
      const { GET } = commands.client.api
      const versions = await take(
        items(
          (cursor) =>
            unwrap(
              GET('/api/datasets/{id}/versions', { params: { path: { id }, query: { ...(cursor && { cursor }) } } }),
            ),
          (page) => page.versions,
        ),
        limit,
      )
      commands.show(versions, () =>
        table(versions, ['version', 'at', 'change', 'filesAdded', 'rowsAdded', 'filesRemoved', 'rowsRemoved']),
      )
    })
  program
    .command('get')
    .description('Download the files of a table, all of one version')
    .argument('<place>', 'dataset/table', parsePlace)
    .requiredOption('--out <folder>')
    .option('--period <tag>')
    .option('--version-number <number>', 'default: the newest', wholeNumber(0))
    .option('--concurrency <number>', 'files at the same time', wholeNumber(1), 4)
    .action(async ({ datasetId, table: name }: Place, { out, period, versionNumber, concurrency }) => {
      if (name === undefined) throw new Failure('give a table: dataset/table', 2)
      const { client } = commands
      const query = {
        table: name,
        ...(period !== undefined && { period }),
        ...(versionNumber !== undefined && { version: versionNumber }),
      }
      const files = await take(
        items(
          (cursor) =>
            unwrap(
              client.api.GET('/api/datasets/{id}/files', {
                params: { path: { id: datasetId }, query: { ...query, ...(cursor && { cursor }) } },
              }),
            ),
          (page) => page.files,
        ),
        Number.POSITIVE_INFINITY,
      )
      const done = await downloadFiles(client, files, out, concurrency)
      commands.show(
        done,
        () => `${count(done.downloaded)} files downloaded (${bytes(done.bytes)}), ${count(done.present)} were there\n`,
      )
    })
}
