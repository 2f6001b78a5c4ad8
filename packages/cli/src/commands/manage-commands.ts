import { items, unwrap } from '@fusou/client'
import { Option } from 'commander'
import {
  type Commands,
  limitOption,
  type Place,
  parsePlace,
  parseSettings,
  path,
  take,
  wholeNumber,
} from '../commands.ts'
import { Failure } from '../failure.ts'
import { count, table } from '../print.ts'

export function addManageCommands(commands: Commands): void {
  const { program } = commands
  program
    .command('settings')
    .description('Show the settings of a dataset or a table, or change them: name=value, null for the default')
    .argument('<place>', 'dataset or dataset/table', parsePlace)
    .argument('[changes...]')
    .action(async ({ datasetId, table: name }: Place, changes: string[]) => {
      const { GET, PATCH } = commands.client.api
      const body = parseSettings(changes) as never
      const answer =
        name === undefined
          ? changes.length === 0
            ? await unwrap(GET('/api/datasets/{id}', path({ id: datasetId })))
            : await unwrap(PATCH('/api/datasets/{id}', { ...path({ id: datasetId }), body }))
          : changes.length === 0
            ? await unwrap(GET('/api/datasets/{id}/tables/{table}', path({ id: datasetId, table: name })))
            : await unwrap(
                PATCH('/api/datasets/{id}/tables/{table}', { ...path({ id: datasetId, table: name }), body }),
              )
      const { settings, changed } = answer
      commands.show({ settings, changed }, () =>
        table(
          Object.entries(settings).map(([setting, value]) => ({
            setting,
            value: typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value),
            changed: changed.includes(setting) ? 'changed' : '',
          })),
          ['setting', 'value', 'changed'],
        ),
      )
    })

  program
    .command('share')
    .description('Who may use a dataset; with a user and a role, let them')
    .argument('<dataset>')
    .argument('[user]', 'the id that "fusou whoami" tells them')
    .addOption(new Option('--role <role>').choices(['reader', 'writer', 'manager', 'none']))
    .option('--public <yes|no>', 'whether anybody who is signed in may read it')
    .action(async (id: string, user: string | undefined, { role, public: isPublic }) => {
      const { GET, PUT, DELETE, PATCH } = commands.client.api
      if (isPublic !== undefined) {
        if (isPublic !== 'yes' && isPublic !== 'no') throw new Failure('--public takes yes or no', 2)
        await unwrap(PATCH('/api/datasets/{id}', { ...path({ id }), body: { public: isPublic === 'yes' } }))
      }
      if (user !== undefined) {
        if (role === undefined) throw new Failure('give --role reader, writer, manager or none', 2)
        const of = path({ id, user })
        if (role === 'none') await unwrap(DELETE('/api/datasets/{id}/grants/{user}', of))
        else await unwrap(PUT('/api/datasets/{id}/grants/{user}', { ...of, body: { role } }))
      }
      const found = await unwrap(GET('/api/datasets/{id}/grants', path({ id })))
      commands.show(found, () =>
        table([{ userId: found.ownerId, role: 'owner' }, ...found.grants], ['userId', 'role', 'grantedAt']),
      )
    })
  program
    .command('transfer')
    .description('Hand a dataset over to another user')
    .argument('<dataset>')
    .argument('<user>')
    .action(async (id: string, userId: string) => {
      const answer = await unwrap(
        commands.client.api.POST('/api/datasets/{id}/transfer', { ...path({ id }), body: { userId } }),
      )
      commands.show(answer, () => `${id} belongs to ${answer.ownerId}\n`)
    })
  program
    .command('rm')
    .description('Delete a dataset, a table or one period of it; "restore" undoes it')
    .argument('<place>', 'dataset or dataset/table', parsePlace)
    .option('--period <tag>')
    .requiredOption('--yes', 'really')
    .action(async ({ datasetId, table: name }: Place, { period }) => {
      const { DELETE } = commands.client.api
      if (name === undefined && period !== undefined) throw new Failure('--period needs a table: dataset/table', 2)
      const id = datasetId
      const answer =
        name === undefined
          ? await unwrap(DELETE('/api/datasets/{id}', path({ id })))
          : period === undefined
            ? await unwrap(DELETE('/api/datasets/{id}/tables/{table}', path({ id, table: name })))
            : await unwrap(
                DELETE('/api/datasets/{id}/tables/{table}/periods/{period}', path({ id, table: name, period })),
              )
      const { deletion } = answer
      commands.show(answer, () =>
        deletion === null
          ? 'there was no data\n'
          : `${count(deletion.files)} files with ${count(deletion.rows)} rows are deleted; until ${deletion.restorableUntil}: fusou restore ${id} ${deletion.id}\n`,
      )
    })
  program
    .command('restore')
    .description('What was deleted from a dataset; with a number, put it back')
    .argument('<dataset>')
    .argument('[deletion]', '', wholeNumber(1))
    .action(async (id: string, deletion: number | undefined) => {
      const { GET, POST } = commands.client.api
      if (deletion !== undefined)
        await unwrap(POST('/api/datasets/{id}/deletions/{deletion}/restore', path({ id, deletion })))
      const { deletions } = await unwrap(GET('/api/datasets/{id}/deletions', path({ id })))
      commands.show(deletions, () =>
        table(deletions, ['id', 'table', 'periodTag', 'files', 'rows', 'deletedAt', 'restoredAt', 'restorableUntil']),
      )
    })
  program
    .command('audit')
    .description('Who changed what, newest first')
    .option('--dataset <id>')
    .option('--action <action>', 'such as dataset.grant')
    .addOption(limitOption(50))
    .action(async ({ dataset, action, limit }) => {
      const { GET } = commands.client.api
      const query = { ...(dataset && { datasetId: dataset }), ...(action && { action }) }
      const entries = await take(
        items(
          (cursor) => unwrap(GET('/api/audit', { params: { query: { ...query, ...(cursor && { cursor }) } } })),
          (page) => page.entries,
        ),
        limit,
      )
      commands.show(entries, () => table(entries, ['at', 'actor', 'action', 'datasetId', 'target', 'address']))
    })
  program
    .command('vacuum')
    .description('What vacuum would delete now, and why; for operators')
    .requiredOption('--dry-run', 'vacuum runs by itself each minute')
    .action(async () => {
      const found = await unwrap(commands.client.api.GET('/api/vacuum'))
      commands.show(found, () => `${JSON.stringify(found, null, 2)}\n`)
    })
}
