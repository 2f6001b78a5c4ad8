import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { items, unwrap } from '@fusou/client'
import { type Commands, path, separated, take } from '../commands.ts'
import { Failure } from '../failure.ts'
import { table } from '../print.ts'

/** Only its owner can read the file: it holds a secret. */
const PROFILE_MODE = 0o600

function openProfile(path: string): number {
  try {
    return openSync(path, 'wx', PROFILE_MODE)
  } catch (error) {
    throw new Failure(`${path}: ${(error as NodeJS.ErrnoException).code}: give a file that is not there yet`, 2)
  }
}

export function addKeyCommands(commands: Commands): void {
  const { program } = commands
  program
    .command('profile')
    .description('Make a profile, with which clients of Delta Sharing read your datasets or some of them')
    .argument('[datasets...]', 'ids, or beginnings of ids that end in *; left out: all')
    .option('--name <name>', 'what it is for, as it stands in the list of keys', 'delta-sharing')
    .option('--expires <time>', 'such as 2027-01-01T00:00:00Z')
    .option('-o, --output <file>', 'a new file for it; left out: standard output')
    .action(async (datasets: string[], { name, expires, output }) => {
      const body = {
        name,
        scopes: ['read' as const],
        ...(datasets.length > 0 && { datasets }),
        ...(expires && { expiresAt: expires }),
      }
      // before the key is made, so that none is lost where the file cannot be written
      const file = output === undefined ? undefined : openProfile(output)
      try {
        const query = { as: 'delta-sharing-profile' as const }
        const profile = await unwrap(commands.client.api.POST('/api/keys', { params: { query }, body }))
        const text = `${JSON.stringify(profile, null, 2)}\n`
        if (file === undefined) return commands.session.out(text)
        writeSync(file, text)
        commands.show({ file: output }, () => `${output}\n`)
      } catch (error) {
        if (output !== undefined) rmSync(output)
        throw error
      } finally {
        if (file !== undefined) closeSync(file)
      }
    })
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
      commands.show(made, () => `${'key' in made ? made.key : made.bearerToken}\n`)
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
