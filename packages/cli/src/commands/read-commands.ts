import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { unwrap } from '@fusou/client'
import { InvalidArgumentError, Option } from 'commander'
import { type Commands, type Place, parsePlace, path, wholeNumber } from '../commands.ts'
import { Failure } from '../failure.ts'
import type { Session } from '../session.ts'

const ENGINES = ['duckdb', 'polars', 'pandas', 'pyarrow', 'clickhouse', 'spark', 'hyparquet'] as const
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

interface Which {
  readonly period?: string
  readonly versionNumber?: number
}

/** Commands that let an engine read a table through its URL. */
export function addReadCommands(commands: Commands): void {
  const { program } = commands
  const periodOption = () => new Option('--period <tag>', 'one period of the table; default: all')
  const versionOption = () =>
    new Option('--version-number <number>', 'pins a version; default: the newest at each reading').argParser(
      wholeNumber(0),
    )
  program
    .command('link')
    .description('A link under which anybody reads a table as one Parquet file')
    .argument('<place>', 'dataset/table', parsePlace)
    .addOption(periodOption())
    .addOption(versionOption())
    .option('--expires <duration>', 'from 60s to 7d', parseDuration, 86_400)
    .action(async (place: Place, { expires, ...which }: Which & { expires: number }) => {
      const link = await createLink(commands, place, which, expires)
      commands.show(link, () => `${link.url}\n`)
    })
  program
    .command('query')
    .description('Open DuckDB with a table in it, or answer one query; or print the lines that read it in an engine')
    .argument('<place>', 'dataset/table', parsePlace)
    .argument('[sql]', 'such as "select count(*) from flights"; left out: DuckDB waits for queries')
    .addOption(new Option('--for <engine>', 'print the lines of this engine').choices(ENGINES))
    .addOption(periodOption())
    .addOption(versionOption())
    .action(
      async (
        place: Place,
        sql: string | undefined,
        { for: engine, ...which }: Which & { for?: (typeof ENGINES)[number] },
      ) => {
        if (engine !== undefined) return showSnippet(commands, place, which, engine)
        const { url } = await createLink(commands, place, which, 86_400)
        const code = await runDuckDb(commands.session, nameOf(place), url, sql, commands.asJson)
        if (code === 'not installed') {
          commands.session.err('duckdb is not installed here; in any engine, such as DuckDB itself:\n')
          return showSnippet(commands, place, which, 'duckdb')
        }
        if (code !== 0) throw new Failure(`duckdb ended with ${code}`)
      },
    )
}

function nameOf({ table }: Place): string {
  if (table === undefined) throw new Failure('give a table: dataset/table', 2)
  return table
}

function createLink(commands: Commands, place: Place, { period, versionNumber }: Which, expiresInSeconds: number) {
  const body = {
    expiresInSeconds,
    ...(period !== undefined && { period }),
    ...(versionNumber !== undefined && { version: versionNumber }),
  }
  const at = path({ id: place.datasetId, table: nameOf(place) })
  return unwrap(commands.client.api.POST('/api/datasets/{id}/tables/{table}/links', { ...at, body }))
}

async function showSnippet(
  commands: Commands,
  place: Place,
  { period, versionNumber }: Which,
  engine: (typeof ENGINES)[number],
): Promise<void> {
  const query = {
    for: engine,
    ...(period !== undefined && { period }),
    ...(versionNumber !== undefined && { version: versionNumber }),
  }
  const lines = await unwrap(
    commands.client.api.GET('/api/datasets/{id}/tables/{table}/query', {
      params: { path: { id: place.datasetId, table: nameOf(place) }, query },
      parseAs: 'text',
    }),
  )
  commands.show({ engine, lines }, () => lines)
}

/** @returns the exit code of DuckDB */
async function runDuckDb(
  { env }: Session,
  table: string,
  url: string,
  sql: string | undefined,
  asJson: boolean,
): Promise<number | 'not installed'> {
  const view = `create view "${table}" as select * from read_parquet('${url}');`
  const args = ['-cmd', view, ...(asJson ? ['-json'] : []), ...(sql === undefined ? [] : ['-c', sql])]
  const child = spawn('duckdb', args, { stdio: 'inherit', env })
  try {
    await once(child, 'spawn')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not installed'
    throw error
  }
  const [code] = await once(child, 'close')
  return (code as number | null) ?? 1
}

function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (unit === undefined) throw new InvalidArgumentError('a number and s, m, h or d are needed, such as 12h')
  return Number(digits) * SECONDS[unit as keyof typeof SECONDS]
}
