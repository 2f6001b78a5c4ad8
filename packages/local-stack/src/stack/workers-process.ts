import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { readEnvironments } from '../../../../deploy/wrangler-config.ts'
import { type BuiltWorkers, buildWeb, buildWorkflow } from './build-workers.ts'
import { runAsChild } from './child.ts'
import { LOOPBACK } from './choose-port.ts'
import { type QueueDoor, startControlServer } from './control-server.ts'
import { findInstancesUnderWay, type WorkflowDoor, wakeInstances } from './wake-instances.ts'
import { watchSources } from './watch-sources.ts'
import { writeWorkerLog } from './worker-log.ts'
import { type WorkerSettings, workerOptions, workflowsOf } from './worker-options.ts'

export interface WorkersSettings extends WorkerSettings {
  root: string
  stateFolder: string
  webPort: number
  controlToken: string
  /** whether to take what an earlier start has built */
  keepBuild: boolean
  /** whether to build again and go on with the new Workers when a source changes */
  watch: boolean
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
  const cloudflareFolder = join(stateFolder, 'cloudflare')
  const build = {
    web: () => buildWeb(root, staticFolder),
    workflow: () => buildWorkflow(root, join(stateFolder, 'build/workflow')),
  }
  const built = await builtOnce(join(stateFolder, 'build/modules.bin'), settings.keepBuild, async () => {
    const [web, workflow] = await Promise.all([build.web(), build.workflow()])
    return { web, workflow }
  })
  const describeWorkers = ({ web, workflow }: BuiltWorkers) => [
    // a file when there is one, else the Worker: what Pages does by _routes.json
    {
      ...workerOptions(WEB, join(root, 'wrangler.toml'), web, settings),
      assets: { directory: staticFolder, routerConfig: { has_user_worker: true } },
    } as V4WorkerOptions,
    workerOptions(WORKFLOW, join(root, 'packages/FUSOU-WORKFLOW/wrangler.toml'), workflow, settings),
  ]
  const describeRuntime = (workers: V4WorkerOptions[]) =>
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
    })

  let workers = describeWorkers(built)
  const underWay = findUnderWay(cloudflareFolder, workers)
  const runtime = new Miniflare(describeRuntime(workers))
  await runtime.ready
  await wakeAll(runtime, underWay)

  // a handle of the runtime is void once the runtime was given new Workers, so each use takes its own
  const runCron = async () => {
    const consumer = await runtime.getWorker(WORKFLOW)
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
    openQueues: () => queueDoors(runtime, workers),
    runCron,
  })
  const stopWatching = settings.watch
    ? await watchSources(root, fail, async (changed) => {
        const from = Date.now()
        try {
          await Promise.all(changed.map(async (part) => Object.assign(built, { [part]: await build[part]() })))
          workers = describeWorkers(built)
          const underWay = findUnderWay(cloudflareFolder, workers)
          await runtime.setOptions(describeRuntime(workers))
          await wakeAll(runtime, underWay)
          console.log(JSON.stringify({ event: 'sources.reloaded', workers: changed, ms: Date.now() - from }))
        } catch (error) {
          // The Workers that run go on: the next change may repair what does not build now.
          const message = error instanceof Error ? error.message : String(error)
          console.error(JSON.stringify({ event: 'sources.not_reloaded', workers: changed, message }))
        }
      })
    : undefined
  return {
    controlUrl: control.url,
    stop: async () => {
      await stopWatching?.()
      stopCron()
      control.stop()
      await runtime.dispose()
    },
  }
})

/** The result of `build`, kept in a file. */
async function builtOnce(path: string, keep: boolean, build: () => Promise<BuiltWorkers>): Promise<BuiltWorkers> {
  if (keep && existsSync(path)) return deserialize(readFileSync(path)) as BuiltWorkers
  const built = await build()
  writeFileSync(`${path}.partial`, serialize(built))
  renameSync(`${path}.partial`, path)
  return built
}

interface UnderWay {
  binding: string
  instances: string[]
}

function findUnderWay(cloudflareFolder: string, workers: V4WorkerOptions[]): UnderWay[] {
  return Object.entries(workflowsOf(workers[1]!)).map(([binding, { name }]) => ({
    binding,
    instances: findInstancesUnderWay(cloudflareFolder, name),
  }))
}

async function wakeAll(runtime: Miniflare, underWay: readonly UnderWay[]): Promise<void> {
  const bindings = await runtime.getBindings<Record<string, WorkflowDoor>>(WORKFLOW)
  for (const { binding, instances } of underWay) await wakeInstances(bindings[binding]!, instances)
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
