import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import { buildWeb, buildWorkflow, type WorkerModule } from './build-workers.ts'
import { runAsChild } from './child.ts'
import { LOOPBACK } from './choose-port.ts'
import { type QueueDoor, startControlServer } from './control-server.ts'
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
}

export interface WorkersReady {
  controlUrl: string
}

const WEB = 'fusou'
const WORKFLOW = 'fusou-workflow'
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
  const [web, workflow] = await Promise.all([
    buildWeb(root, staticFolder),
    buildWorkflow(root, join(stateFolder, 'build/workflow')),
  ])
  const workers = [
    // a file when there is one, else the Worker: what Pages does by _routes.json
    {
      ...workerOptions(WEB, join(root, 'wrangler.toml'), web, settings),
      assets: { directory: staticFolder, routerConfig: { has_user_worker: true } },
    } as V4WorkerOptions,
    workerOptions(WORKFLOW, join(root, 'packages/FUSOU-WORKFLOW/wrangler.toml'), workflow, settings),
  ]
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: LOOPBACK,
      port: settings.webPort,
      resourcePersistencePath: join(stateFolder, 'cloudflare'),
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
  { vars, queueBatchSeconds }: WorkersSettings,
): V4WorkerOptions {
  const { modulesRules, rootPath, ...options } = unstable_getMiniflareWorkerOptions(configPath).workerOptions
  if (queueBatchSeconds !== undefined && options.queueConsumers && !Array.isArray(options.queueConsumers))
    for (const consumer of Object.values(options.queueConsumers)) consumer.maxBatchTimeout = queueBatchSeconds
  return {
    ...options,
    name,
    bindings: { ...(options.bindings as object), ...vars },
    modules: withNamedLogs(name, modules),
  } as V4WorkerOptions
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

/** What Miniflare itself has to say: one JSON line each, as everything else. */
class RuntimeLog extends Log {
  constructor() {
    super(LogLevel.WARN)
  }

  protected override log(message: string): void {
    console.error(JSON.stringify({ worker: 'runtime', message }))
  }
}
