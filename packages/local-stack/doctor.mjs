// npm run doctor: says what this machine lacks. Plain JavaScript without dependencies, since it runs before the first
// install, on whatever Node starts it.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LOOPBACK = '127.0.0.1'
const MIN_NODE = 18
const MIN_POSTGRES = 15
const MIN_MEMORY_GIB = 4
/** What an install, a state folder and the files of the demo take. */
const MIN_FREE_GIB = 2
const GIB = 2 ** 30

const folders = (process.env.PATH ?? '').split(delimiter)
const findCommand = (name) => folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
const versionOf = (path, pattern) => pattern.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]

/** Each check gives what is there, or throws an Error that says what to do. */
const REQUIRED = {
  'Node to start with': () => {
    if (Number(process.versions.node.split('.')[0]) >= MIN_NODE) return process.versions.node
    throw new Error(`${process.versions.node} is too old: install Node ${MIN_NODE} or later`)
  },
  npm: () => command('npm', 'it comes with Node'),
  git: () => command('git', 'install git'),
  bash: () => command('bash', 'install bash: the lines of the documents and their tests run in it'),
  curl: () => command('curl', 'install curl: the lines of the documents use it'),
  ps: () => command('ps', 'install procps: a start looks for what a killed stack has left'),
  dependencies: () => {
    const [current, wanted] = ['node_modules/.pnpm/lock.yaml', 'pnpm-lock.yaml'].map((path) => join(ROOT, path))
    if (!existsSync(current)) throw new Error('run npm run bootstrap')
    if (readFileSync(current, 'utf8') !== readFileSync(wanted, 'utf8'))
      throw new Error('they are not those of pnpm-lock.yaml: run npm run bootstrap')
    return 'as in pnpm-lock.yaml'
  },
  'Workers runtime': () => {
    const store = join(ROOT, 'node_modules/.pnpm')
    const [folder] = existsSync(store) ? readdirSync(store).filter((name) => name.startsWith('workerd@')) : []
    if (folder === undefined) throw new Error('run npm run bootstrap')
    try {
      return versionOf(join(store, folder, 'node_modules/workerd/bin/workerd'), /(\S+)\s*$/)
    } catch (error) {
      throw new Error(`workerd does not run on this system (glibc 2.35 or macOS 13.5 at least): ${firstLine(error)}`)
    }
  },
  'port of FUSOU-WEB': () => freePort('FUSOU_PORT', 8788),
  'port of Supabase': () => freePort('FUSOU_SUPABASE_PORT', 54321),
  disk: () => {
    const { bavail, bsize } = statfsSync(ROOT)
    const free = (bavail * bsize) / GIB
    if (free >= MIN_FREE_GIB) return `${free.toFixed(1)} GiB free`
    throw new Error(`${free.toFixed(1)} GiB are free: make room for ${MIN_FREE_GIB} GiB`)
  },
}

const OPTIONAL = {
  memory: () => {
    const gib = totalmem() / GIB
    if (gib >= MIN_MEMORY_GIB) return `${gib.toFixed(1)} GiB`
    throw new Error(`${gib.toFixed(1)} GiB: npm test wants ${MIN_MEMORY_GIB} GiB`)
  },
  PostgreSQL: () => {
    const packages = '/usr/lib/postgresql'
    const places = [
      process.env.FUSOU_POSTGRES_BIN,
      ...folders,
      ...(existsSync(packages) ? readdirSync(packages).map((version) => join(packages, version, 'bin')) : []),
    ]
    const servers = places.filter((folder) => folder && existsSync(join(folder, 'postgres')))
    const versions = servers.map((folder) => versionOf(join(folder, 'postgres'), / (\d+)/))
    const version = versions.find((major) => Number(major) >= MIN_POSTGRES)
    if (version !== undefined) return version
    throw new Error(
      `install version ${MIN_POSTGRES} or later, or name its folder in FUSOU_POSTGRES_BIN: npm test leaves out races without it`,
    )
  },
  Python: () => command('python3', 'install Python 3 with venv: npm run interop reads tables with its engines'),
}

function command(name, advice) {
  const path = findCommand(name)
  if (path === undefined) throw new Error(advice)
  return path
}

function freePort(variable, standard) {
  const port = Number(process.env[variable] || standard)
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', () => reject(new Error(`${port} is taken: stop what listens there, or set ${variable}`)))
    server.listen(port, LOOPBACK, () => server.close(() => resolve(port === 0 ? 'any' : String(port))))
  })
}

const firstLine = (error) =>
  String(error.stderr || error.message)
    .trim()
    .split('\n')[0]

async function run(checks, mark) {
  let lacking = 0
  for (const [name, check] of Object.entries(checks)) {
    try {
      console.log(`ok        ${name}: ${await check()}`)
    } catch (error) {
      lacking += 1
      console.log(`${mark.padEnd(10)}${name}: ${error.message}`)
    }
  }
  return lacking
}

const missing = await run(REQUIRED, 'missing')
const left = await run(OPTIONAL, 'optional')
console.log(
  missing > 0
    ? `${missing} missing`
    : `this machine can run npm start and npm test${left > 0 ? ', but for what is optional' : ''}`,
)
process.exitCode = missing > 0 ? 1 : 0
