import { items, unwrap } from '@fusou/client'
import { type Commands, path, separated, take } from '../commands.ts'
import { table } from '../print.ts'

export function addKeyCommands(commands: Commands): void {
  const { program } = commands
  const keys = program
    .command('keys')
    .description('Your keys')
    .action(async () => {
      const { GET } = commands.client.api
      const found = await take(
        items(
          (cursor) => unwrap(GET('/api/keys', { params: { query: { ...(cursor && { cursor }) } } })),
          (page) => page.keys,
        ),
        1000,
      )
      commands.show(found, () =>
        table(
          found.map((key) => ({ ...key, scopes: key.scopes.join(','), datasets: key.datasets?.join(',') ?? '*' })),
          ['id', 'name', 'hint', 'scopes', 'datasets', 'state', 'lastUsedAt'],
        ),
      )
    })
  keys
    .command('create')
    .description('Make a key for a program; it is shown once')
    .argument('<name>')
    .requiredOption('--scope <scopes>', 'read, upload, manage; with commas between them', separated)
    .option('--dataset <patterns>', 'ids, or beginnings of ids that end in *', separated)
    .option('--expires <time>', 'such as 2027-01-01T00:00:00Z')
    .action(async (name: string, { scope, dataset, expires }) => {
      const body = {
        name,
        scopes: scope,
        ...(dataset && { datasets: dataset }),
        ...(expires && { expiresAt: expires }),
      }
      const made = await unwrap(commands.client.api.POST('/api/keys', { body }))
      commands.show(made, () => `${made.key}\n`)
    })
  keys
    .command('revoke')
    .description('Revoke a key')
    .argument('<id>')
    .action(async (id: string) => {
      const revoked = await unwrap(commands.client.api.DELETE('/api/keys/{id}', path({ id })))
      commands.show(revoked, () => `revoked ${revoked.name}\n`)
    })
}
