import { randomBytes } from 'node:crypto'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { layOutProject } from '@fusou/embedded-supabase'
import { REPO_ROOT } from '../support/repo-root.ts'
import { WRANGLER_ENV } from './build-workers.ts'
import { Child } from './child.ts'
import { choosePort, LOOPBACK } from './choose-port.ts'
import { DiskFullError, freeBytesOf, nameDiskFull, requireRoom } from './disk-full.ts'
import { ensureUsers } from './ensure-users.ts'
import { type LocalSecrets, loadLocalSecrets } from './local-secrets.ts'
import { StackError } from './stack-error.ts'
import { removeStackInfo, type StackInfo, writeStackInfo } from './stack-info.ts'
import { StateLock } from './state-lock.ts'
import type { SupabaseReady, SupabaseSettings } from './supabase-process.ts'
import type { WorkersReady, WorkersSettings } from './workers-process.ts'

export interface StackOptions {
  /** made when missing; everything that outlives a restart is in it */
  stateFolder: string
  /** default 0: any free port */
  webPort?: number
  /** default 0: any free port */
  supabasePort?: number
  /** more variables for both Workers, say of a local OIDC issuer */
  vars?: Record<string, string>
  /** seconds that a queue waits for a batch to fill; default: what wrangler.toml says */
  queueBatchSeconds?: number
  /** a TypeScript module that stands in front of both Workers; see workers-process.ts */
  front?: string
  /** take the Workers that an earlier start built in this state folder; default: build them again */
  keepBuild?: boolean
  /** build a Worker again and go on with it when one of its sources changes; see `watchSources` */
  watch?: boolean
  /** open a door for SQL, for checks; see `serveSql` */
  sqlDoor?: boolean
  /** gets every log line, each also in `<state folder>/logs/<source>.log` */
  onLog?: (source: string, line: string) => void
  /** free bytes of the disk of a folder; default: what the system says */
  freeBytes?: (folder: string) => number
  /** default: this repository */
  root?: string
}

export interface Stack {
  info: StackInfo
  /** file names of the migrations that this start applied */
  migrations: string[]
  /** address of the door for SQL, if it was asked for */
  sqlUrl: string | undefined
  /** settles when a part of the stack dies unasked, with what to tell the user */
  failed: Promise<StackError>
  /** ends every process of the stack; more calls wait for the same end */
  stop: () => Promise<void>
}

/**
 * Start the embedded Supabase with the migrations, both Workers, their queues, Workflow, R2 and cron.
 * @throws StackError when a port is taken, the state folder is in use, or a part does not start
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const root = options.root ?? REPO_ROOT
  mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 })
  const stateFolder = realpathSync(options.stateFolder)
  requireRoom(stateFolder, (options.freeBytes ?? freeBytesOf)(stateFolder))
  const lock = await StateLock.take(stateFolder)
  const children: Child<unknown>[] = []
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      removeStackInfo(stateFolder)
      // the Workers first: they talk to the database
      for (const child of children.toReversed()) await child.stop()
      lock.release()
    })()
    return stopped
  }
  try {
    removeStackInfo(stateFolder)
    const secrets = loadLocalSecrets(stateFolder)
    const webPort = await choosePort(options.webPort ?? 0, 'FUSOU-WEB', 'FUSOU_PORT')
    const supabasePort = await choosePort(options.supabasePort ?? 0, 'Supabase', 'FUSOU_SUPABASE_PORT')
    const supabaseUrl = `http://${LOOPBACK}:${supabasePort}`
    const start = startChild(stateFolder, lock, children, options.onLog)

    const database = join(stateFolder, 'database')
    layOutProject(database)
    const supabaseSettings: SupabaseSettings = { port: supabasePort, sqlDoor: options.sqlDoor ?? false }
    const supabase = start<SupabaseReady>('supabase', database, supabaseSettings, supabaseEnv(secrets))

    const controlToken = randomBytes(24).toString('base64url')
    const workersSettings: WorkersSettings = {
      root,
      stateFolder,
      webPort,
      controlToken,
      vars: {
        SUPABASE_URL: supabaseUrl,
        SUPABASE_SECRET_KEY: secrets.secretKey,
        SUPABASE_JWT_SECRET: secrets.jwtSecret,
        OPERATOR_TOKEN: secrets.operatorToken,
        ...options.vars,
      },
      keepBuild: options.keepBuild ?? false,
      watch: options.watch ?? false,
      ...(options.queueBatchSeconds !== undefined && { queueBatchSeconds: options.queueBatchSeconds }),
      ...(options.front !== undefined && { front: options.front }),
    }
    const { migrations, sqlUrl } = await supabase.ready
    // only now: a Workflow that was under way goes on as soon as the Workers run
    const workers = start<WorkersReady>('workers', root, workersSettings, WRANGLER_ENV)
    const [{ controlUrl }] = await Promise.all([workers.ready, ensureUsers(supabaseUrl, secrets)])

    const info: StackInfo = {
      pid: process.pid,
      stateFolder,
      webUrl: `http://${LOOPBACK}:${webPort}`,
      supabaseUrl,
      publishableKey: secrets.publishableKey,
      secretKey: secrets.secretKey,
      operatorToken: secrets.operatorToken,
      users: secrets.users,
      controlUrl,
      controlToken,
    }
    writeStackInfo(info)
    return { info, migrations, sqlUrl, failed: firstDeath(children, stateFolder), stop }
  } catch (error) {
    await stop()
    throw nameDiskFull(error, stateFolder)
  }
}

const startChild =
  (stateFolder: string, lock: StateLock, children: Child<unknown>[], onLog: StackOptions['onLog']) =>
  <Ready>(name: string, cwd: string, settings: object, env: NodeJS.ProcessEnv): Child<Ready> => {
    const logs = join(stateFolder, 'logs')
    mkdirSync(logs, { recursive: true })
    const child = new Child<Ready>({
      name,
      script: join(import.meta.dirname, `${name}-process.ts`),
      cwd,
      env: { ...process.env, ...env },
      settings,
      logFile: join(logs, `${name}.log`),
      stateFolder,
      onLine: (line) => onLog?.(name, line),
    })
    children.push(child as Child<unknown>)
    lock.addGroup(child.pid)
    return child
  }

const supabaseEnv = (secrets: LocalSecrets) => ({
  SUPABASE_PUBLISHABLE_KEY: secrets.publishableKey,
  SUPABASE_SECRET_KEY: secrets.secretKey,
  SUPABASE_JWT_SECRET: secrets.jwtSecret,
  LITE_TELEMETRY: '0',
  DO_NOT_TRACK: '1',
})

function firstDeath(children: Child<unknown>[], stateFolder: string): Promise<StackError> {
  return new Promise((resolve) => {
    for (const child of children)
      child.exited.then((how) => {
        if (child.sawDiskFull && !child.stopping) resolve(new DiskFullError(stateFolder, `${child.name} died`))
        else if (!child.stopping)
          resolve(new StackError(`${child.name} died (${how}); see ${join(stateFolder, 'logs', `${child.name}.log`)}`))
      })
  })
}
