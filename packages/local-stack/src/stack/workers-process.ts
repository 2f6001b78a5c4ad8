import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import { readEnvironments } from '../../../../deploy/wrangler-config.ts'
import { buildWeb, buildWorkflow, type WorkerModule } from './build-workers.ts'
import { runAsChild } from './child.ts'
import { LOOPBACK } from './choose-port.ts'
import { type QueueDoor, startControlServer } from './control-server.ts'
import { findInstancesUnderWay, type WorkflowDoor, wakeInstances } from './wake-instances.ts'
import { writeWorkerLog } from './worker-log.ts'

export interface WorkersSettings {
  root: string
  stateFolder: string
  webPort: number
  controlToken: string
  /** plain variables of both Workers */
  vars: Record<string, string>
  /** overrides the seconds a queue waits for a batch to fill; for tests */
  queueBatchSeconds?: number
  /**
   * path of a TypeScript module without imports that exports `wrapHandler(handler, worker)` and
   * `wrapWorkflow(workflowClass, worker)`: what it returns stands in for the Worker's own
   */
  front?: string
  /** whether to take what an earlier start has built */
  keepBuild: boolean
}

export interface WorkersReady {
  controlUrl: string
}

const { pagesProject: WEB, worker: WORKFLOW } = readEnvironments().production
const EVERY_MINUTE = '* * * * *'

/**
 * Both Workers in one workerd, with the bindings of the two real wrangler.toml files.
 *
 * Not `wrangler pages dev -c … -c …`, since that gives variables, the cron door and a port to the first Worker only, and
 * finds the other one by its name in a registry that all stacks of the machine share.
 */
runAsChild<WorkersSettings, WorkersReady>(async (settings, fail) => {
  const { root, stateFolder } = settings
  const staticFolder = join(stateFolder, 'build/static')
  const { web, workflow } = await builtOnce(join(stateFolder, 'build/modules.bin'), settings.keepBuild, async () => {
    const [web, workflow] = await Promise.all([
      buildWeb(root, staticFolder),
      buildWorkflow(root, join(stateFolder, 'build/workflow')),
    ])
    return { web, workflow }
  })
  const workers = [
    // a file when there is one, else the Worker: what Pages does by _routes.json
    {
      ...workerOptions(WEB, join(root, 'wrangler.toml'), web, settings),
      assets: { directory: staticFolder, routerConfig: { has_user_worker: true } },
    } as V4WorkerOptions,
    workerOptions(WORKFLOW, join(root, 'packages/FUSOU-WORKFLOW/wrangler.toml'), workflow, settings),
  ]
  const cloudflareFolder = join(stateFolder, 'cloudflare')
  const workflows = Object.entries(workflowsOf(workers[1]!)).map(([binding, { name }]) => ({
    binding,
    underWay: findInstancesUnderWay(cloudflareFolder, name),
  }))
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: LOOPBACK,
      port: settings.webPort,
      resourcePersistencePath: cloudflareFolder,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new RuntimeLog(),
      handleStructuredLogs: writeWorkerLog,
      unsafeHandleRuntimeRestart: () => fail(new Error('the Workers runtime (workerd) died')),
      workers,
    }),
  )
  await runtime.ready
  const bindings = await runtime.getBindings<Record<string, WorkflowDoor>>(WORKFLOW)
  for (const { binding, underWay } of workflows) await wakeInstances(bindings[binding]!, underWay)

  const consumer = await runtime.getWorker(WORKFLOW)
  const runCron = async () => {
    for (const cron of workers[1]!.cronTriggers ?? []) {
      if (cron !== EVERY_MINUTE) console.error(JSON.stringify({ event: 'cron.not_run_locally', cron }))
      else await consumer.scheduled({ cron, scheduledTime: new Date() })
    }
  }
  const stopCron = everyMinute(() =>
    runCron().catch((error) => console.error(JSON.stringify({ event: 'cron.failed', message: String(error) }))),
  )
  const control = await startControlServer({
    token: settings.controlToken,
    queues: await queueDoors(runtime, workers),
    runCron,
  })
  return {
    controlUrl: control.url,
    stop: async () => {
      stopCron()
      control.stop()
      await runtime.dispose()
    },
  }
})

function workerOptions(
  name: string,
  configPath: string,
  modules: WorkerModule[],
  { vars, queueBatchSeconds, front }: WorkersSettings,
): V4WorkerOptions {
  const { modulesRules, rootPath, ...options } = unstable_getMiniflareWorkerOptions(configPath).workerOptions
  if (queueBatchSeconds !== undefined && options.queueConsumers && !Array.isArray(options.queueConsumers))
    for (const consumer of Object.values(options.queueConsumers)) consumer.maxBatchTimeout = queueBatchSeconds
  return {
    ...options,
    name,
    bindings: { ...(options.bindings as object), ...vars },
    modules: withNamedLogs(
      name,
      front === undefined
        ? modules
        : withFront(
            front,
            name,
            modules,
            Object.values(workflowsOf(options as V4WorkerOptions)).map(({ className }) => className),
          ),
    ),
  } as V4WorkerOptions
}

const workflowsOf = ({ workflows = {} }: V4WorkerOptions) =>
  workflows as Record<string, { name: string; className: string }>

/** Put a module in front of the Worker's own, that may wrap whatever the runtime calls. */
function withFront(front: string, name: string, modules: WorkerModule[], workflowClasses: string[]): WorkerModule[] {
  const own = modules[0]!.path
  const classes = workflowClasses.map(
    (className) => `export const ${className} = wrapWorkflow(own.${className}, '${name}')\n`,
  )
  return [
    {
      type: 'ESModule',
      path: 'with-front.js',
      contents: `import * as own from './${own}'
import { wrapHandler, wrapWorkflow } from './front.js'
export * from './${own}'
export default wrapHandler(own.default, '${name}')
${classes.join('')}`,
    },
    { type: 'ESModule', path: 'front.js', contents: stripTypeScriptTypes(readFileSync(front, 'utf8')) },
    ...modules,
  ]
}

/** The result of `build`, kept in a file. */
async function builtOnce<Built>(path: string, keep: boolean, build: () => Promise<Built>): Promise<Built> {
  if (keep && existsSync(path)) return deserialize(readFileSync(path)) as Built
  const built = await build()
  writeFileSync(`${path}.partial`, serialize(built))
  renameSync(`${path}.partial`, path)
  return built
}

/**
 * Put a module in front of the Worker's own, that marks each of its console lines with its name: the runtime hands over
 * the lines of all Workers as one stream.
 */
function withNamedLogs(name: string, modules: WorkerModule[]): WorkerModule[] {
  const own = modules[0]!.path
  const mark = `for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  const write = console[level].bind(console)
  console[level] = (...values) => write('@${name}', ...values)
}`
  return [
    {
      type: 'ESModule',
      path: 'with-named-logs.js',
      contents: `import './named-logs.js'\nexport * from './${own}'\nexport { default } from './${own}'\n`,
    },
    { type: 'ESModule', path: 'named-logs.js', contents: mark },
    ...modules,
  ]
}

/** Whichever Worker has a producer for a queue lends it to the door. */
async function queueDoors(runtime: Miniflare, workers: V4WorkerOptions[]): Promise<Map<string, QueueDoor>> {
  const doors = new Map<string, QueueDoor>()
  for (const worker of workers)
    for (const [binding, producer] of Object.entries(worker.queueProducers ?? {})) {
      const queue = typeof producer === 'string' ? producer : (producer as { queueName: string }).queueName
      if (!doors.has(queue)) doors.set(queue, await runtime.getQueueProducer(binding, worker.name))
    }
  return doors
}

/** @returns a function that stops it */
function everyMinute(tick: () => void): () => void {
  let timer: NodeJS.Timeout
  const schedule = () => {
    timer = setTimeout(
      () => {
        schedule()
        tick()
      },
      60_000 - (Date.now() % 60_000),
    )
  }
  schedule()
  return () => clearTimeout(timer)
}

/** Messages of Miniflare itself, as JSON lines like everything else. */
class RuntimeLog extends Log {
  constructor() {
    super(LogLevel.WARN)
  }

  protected override log(message: string): void {
    console.error(JSON.stringify({ worker: 'runtime', message }))
  }
}
