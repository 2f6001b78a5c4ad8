import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { AN_OPERATOR, callerJson } from '@fusou/catalog'
import pg from 'pg'
import { MANY_JOBS_BY_HAND, UNBOUNDED } from './embedded-supabase.ts'
import { MIGRATIONS, sqlFiles } from './migrations.ts'

/** The version of hosted projects that the migrations are written for; a later one will do. */
const MAJOR_VERSION = 15
const OPERATOR = callerJson(AN_OPERATOR)
/** Sessions of all test files together. */
const MAX_CONNECTIONS = 200

/** @returns the folder of `postgres` and `initdb`, version 15 if it is there, else the oldest later one */
export function findPostgres(): string | undefined {
  const folders = [
    ...(process.env.FUSOU_POSTGRES_BIN ? [process.env.FUSOU_POSTGRES_BIN] : []),
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin'),
  ]
  const found = folders
    .filter((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')))
    .map((folder) => ({
      folder: dirname(realpathSync(join(folder, 'postgres'))),
      major: Number(/ (\d+)/.exec(execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }))?.[1]),
    }))
  return found.filter(({ major }) => major >= MAJOR_VERSION).sort((a, b) => a.major - b.major)[0]?.folder
}

/** A throw-away server on a free loopback port, with the roles of Supabase and the migrations in the database `fusou`. */
export async function startPostgres(binaries: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-postgres-'))
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  const account = unprivilegedAccount()
  if ('uid' in account) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid)

  const data = join(folder, 'data')
  execFileSync(
    join(binaries, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--no-locale',
      '--no-sync',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
    ],
    { ...account, cwd: folder, stdio: 'pipe' },
  )
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: MAX_CONNECTIONS,
    fsync: 'off',
    deadlock_timeout: '200ms',
  }
  const server = spawn(
    join(binaries, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const exited = once(server, 'exit')
  const stop = async () => {
    server.kill('SIGINT')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  let log = ''
  await Promise.race([
    new Promise<void>((resolve) => {
      server.stderr.on('data', (chunk) => {
        log = (log + chunk).slice(-4000)
        if (log.includes('ready to accept connections')) resolve()
      })
    }),
    exited.then(() => Promise.reject(new Error(`PostgreSQL did not start: ${log}`))),
  ])
  const url = `postgres://postgres:${password}@127.0.0.1:${port}`
  await layOut(url)
  return { url, stop }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedAccount(): { uid: number; gid: number } | Record<never, never> {
  if (process.getuid?.() !== 0) return {}
  const accounts = readFileSync('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(accounts) ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('root may not run PostgreSQL, and there is no account postgres or nobody to run it')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** The roles, which are of the whole server, and the database `fusou` with the migrations. */
async function layOut(url: string): Promise<void> {
  const root = new pg.Client({ connectionString: `${url}/postgres` })
  await root.connect()
  await root.query('create role anon; create role authenticated; create role service_role bypassrls')
  await root.end()
  await layOutDatabase(url, 'fusou', sqlFiles(MIGRATIONS))
  const client = new pg.Client({ connectionString: `${url}/fusou` })
  await client.connect()
  await client.query('select public.configure_admission($1, $2)', [OPERATOR, UNBOUNDED])
  await client.query('select public.configure_limits($1, null, $2)', [OPERATOR, MANY_JOBS_BY_HAND])
  await client.end()
}

/** A database with the default privileges of a hosted project: there, what a migration makes is open to everybody at first. */
export async function layOutDatabase(url: string, name: string, files: readonly string[]): Promise<void> {
  const root = new pg.Client({ connectionString: `${url}/postgres` })
  await root.connect()
  await root.query(`create database ${name}`)
  await root.end()
  const client = new pg.Client({ connectionString: `${url}/${name}` })
  await client.connect()
  await client.query('grant usage on schema public to anon, authenticated, service_role')
  for (const kind of ['tables', 'functions', 'sequences']) {
    await client.query(
      `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role`,
    )
  }
  for (const file of files) await client.query(readFileSync(file, 'utf8'))
  await client.end()
}
