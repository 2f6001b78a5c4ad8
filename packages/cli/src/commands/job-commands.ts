import { items, unwrap } from '@fusou/client'
import { Option } from 'commander'
import { type Commands, limitOption, type Place, parsePlace, path, take } from '../commands.ts'
import { Failure } from '../failure.ts'
import { count, fields, table } from '../print.ts'

export function addJobCommands(commands: Commands): void {
  const { program } = commands
  program
    .command('compact')
    .description('Merge a dataset or a table now')
    .argument('<place>', 'dataset or dataset/table', parsePlace)
    .option('--rewrite', 'also what is merged already, if it was written with other settings')
    .option('--follow', 'wait until the job has ended')
    .action(async ({ datasetId, table: name }: Place, { rewrite, follow }) => {
      const body = { datasetId, ...(name !== undefined && { table: name }), ...(rewrite && { rewrite }) }
      const asked = await unwrap(commands.client.api.POST('/api/compaction/sanitize-state', { body }))
      if (!follow) return commands.show(asked, () => `${asked.message}: ${asked.jobId}\n`)
      await followJob(asked.jobId)
    })
  const followJob = async (id: string) => {
    for await (const job of commands.client.follow(id)) {
      commands.show(job, () => {
        const { mergesCommitted, mergesPlanned, rowsOut } = job.progress
        return `${job.state}  ${mergesCommitted}/${mergesPlanned} merges, ${count(rowsOut)} rows written${job.error ? `  ${job.error.code}: ${job.error.message}` : ''}\n`
      })
      if (job.state === 'dead') throw new Failure(`the job is dead; "fusou retry ${id}" tries again`)
    }
  }
  program
    .command('jobs')
    .description('Jobs, newest first')
    .option('--dataset <id>')
    .addOption(new Option('--state <state>').choices(['queued', 'running', 'succeeded', 'dead', 'cancelled']))
    .addOption(limitOption(50))
    .action(async ({ dataset, state, limit }) => {
      const { GET } = commands.client.api
      const query = { ...(dataset && { datasetId: dataset }), ...(state && { state }) }
      const jobs = await take(
        items(
          (cursor) => unwrap(GET('/api/jobs', { params: { query: { ...query, ...(cursor && { cursor }) } } })),
          (page) => page.jobs,
        ),
        limit,
      )
      commands.show(jobs, () =>
        table(
          jobs.map(({ id, state, datasetId, attempt, createdAt, error }) => ({
            id,
            state,
            dataset: datasetId,
            attempt,
            createdAt,
            error: error?.code,
          })),
          ['id', 'state', 'dataset', 'attempt', 'createdAt', 'error'],
        ),
      )
    })
  program.command('follow').description('Watch a job until it has ended').argument('<job>').action(followJob)
  program
    .command('cancel')
    .description('Cancel a job')
    .argument('<job>')
    .action(async (id: string) => {
      const answer = await unwrap(commands.client.api.DELETE('/api/jobs/{id}', path({ id })))
      commands.show(answer, () => fields(answer))
    })
  program
    .command('retry')
    .description('Ask again for the work of a dead or cancelled job')
    .argument('<job>')
    .action(async (id: string) => {
      const answer = await unwrap(commands.client.api.POST('/api/jobs/{id}/retry', path({ id })))
      commands.show(answer, () => fields(answer))
    })
  program
    .command('dlq')
    .description('What failed for good')
    .option('--open', 'only what nobody has dealt with')
    .action(async ({ open }) => {
      const query = { ...(open && { open: true as const }) }
      const found = await unwrap(
        commands.client.api.GET('/api/compaction/dlq-status', { params: { query: query as never } }),
      )
      commands.show(found, () => `${JSON.stringify(found, null, 2)}\n`)
    })
  program
    .command('redrive')
    .description('Ask again for the work of many dead jobs')
    .option('--dataset <id>')
    .option('--code <code>', 'of the error')
    .option('--dry-run', 'only say which')
    .action(async ({ dataset, code, dryRun }) => {
      const body = { ...(dataset && { datasetId: dataset }), ...(code && { code }), ...(dryRun && { dryRun }) }
      const answer = await unwrap(commands.client.api.POST('/api/compaction/redrive', { body: body as never }))
      commands.show(answer, () => `${JSON.stringify(answer, null, 2)}\n`)
    })
}
