import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import type { V4WorkerOptions } from 'miniflare'
import { unstable_getMiniflareWorkerOptions } from 'wrangler'
import type { WorkerModule } from './build-workers.ts'

export interface WorkerSettings {
  /** plain variables of both Workers */
  vars: Record<string, string>
  /** overrides the seconds a queue waits for a batch to fill; for tests */
  queueBatchSeconds?: number
  /**
   * path of a TypeScript module without imports that exports `wrapHandler(handler, worker)` and
   * `wrapWorkflow(workflowClass, worker)`: what it returns stands in for the Worker's own
   */
  front?: string
}

/** A Worker as its wrangler.toml describes it, with the modules of a build and the variables of this machine. */
export function workerOptions(
  name: string,
  configPath: string,
  modules: WorkerModule[],
  { vars, queueBatchSeconds, front }: WorkerSettings,
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

export const workflowsOf = ({ workflows = {} }: V4WorkerOptions) =>
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
