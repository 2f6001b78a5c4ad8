import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AnswerError } from '../client/fusou-client.ts'
import { runSample } from '../demo/run-sample.ts'
import { describeStack } from '../stack/describe-stack.ts'
import { DISK_FULL_EXIT_CODE, DiskFullError, nameDiskFull } from '../stack/disk-full.ts'
import { StackError } from '../stack/stack-error.ts'
import { type Stack, startStack } from '../stack/start-stack.ts'
import { ProgressLine } from '../support/progress-line.ts'
import { REPO_ROOT } from '../support/repo-root.ts'

/** Variables of the Workers that make sense on one machine. */
const WORKER_VARS = [
  'GITHUB_OIDC_ISSUER',
  'GITHUB_OIDC_AUDIENCE',
  'GITHUB_OIDC_REPOSITORY_ID',
  'GITHUB_OIDC_REF',
  'GITHUB_OIDC_WORKFLOW_REF',
  'SLACK_WEBHOOK_URL',
  'PAGERDUTY_ROUTING_KEY',
  'PAGERDUTY_EVENTS_URL',
]

const HELP = `npm start [-- options]: the whole of FUSOU on this machine, until Ctrl-C

  --sample              upload many small files, have them merged, and print what there was before and after
  --watch               build a Worker again when one of its sources changes, and go on with it; npm run dev sets it
  --help                this text

  FUSOU_PORT            port of FUSOU-WEB (default 8788)
  FUSOU_SUPABASE_PORT   port of the embedded Supabase (default 54321)
  FUSOU_STATE           folder of everything that outlives a restart (default .local)
  ${WORKER_VARS.join(', ')}
                        given to the Workers as they are, for a test issuer and receivers of alerts

It ends with ${DISK_FULL_EXIT_CODE} when the disk of FUSOU_STATE has no room, with 1 for any other reason it cannot go on.
`

function portFrom(variable: string, otherwise: number): number {
  const text = process.env[variable]
  if (!text) return otherwise
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new StackError(`${variable}=${text} is not a port: a whole number from 0 to 65535`)
  return port
}

/** With a sample nobody waits half a minute for the batch of a queue to fill, as in production. */
const SAMPLE_BATCH_SECONDS = 1

/** @throws StackError that names what is unknown */
function readOptions() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        sample: { type: 'boolean', default: false },
        watch: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new StackError(`${(error as Error).message}; npm start -- --help says what there is`)
  }
}

/** A log line as it is, but for what a bundler says over several lines. */
function readable(line: string): string {
  if (!line.startsWith('{"event":"sources.not_reloaded"')) return line
  return `the Workers before your change go on: ${JSON.parse(line).message}`
}

const stateFolder = () => resolve(REPO_ROOT, process.env.FUSOU_STATE ?? '.local')

async function main(): Promise<void> {
  const options = readOptions()
  if (options.help) return void process.stdout.write(HELP)
  let stack: Stack | undefined
  let asked = false
  const stop = async () => {
    // a signal during the start ends the children too: their IPC channel closes with this process
    if (asked || !stack) process.exit(asked ? 1 : 0)
    asked = true
    console.log('stopping …')
    await stack.stop()
    process.exit(0)
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  console.log('starting …')
  // the hundreds of log lines of its uploads would hide what the sample shows; they are in the log files
  let sampling = options.sample
  stack = await startStack({
    stateFolder: stateFolder(),
    webPort: portFrom('FUSOU_PORT', 8788),
    supabasePort: portFrom('FUSOU_SUPABASE_PORT', 54321),
    vars: Object.fromEntries(WORKER_VARS.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    watch: options.watch,
    ...(options.sample && { queueBatchSeconds: SAMPLE_BATCH_SECONDS }),
    onLog: (source, line) => {
      if (!sampling) console.log(`[${source}] ${readable(line)}`)
    },
  })
  const died = stack.failed.then((failure) => {
    throw failure
  })
  try {
    const folder = join(stack.info.stateFolder, 'sample')
    if (options.sample) await Promise.race([runSample(stack.info, folder, new ProgressLine()), died])
    sampling = false
    console.log(describeStack(stack.info))
    await died
  } finally {
    await stack.stop()
  }
}

main().catch((thrown) => {
  const error = nameDiskFull(thrown, stateFolder())
  const known = error instanceof StackError || error instanceof AnswerError
  console.error(known ? `fusou: ${error.message}` : error)
  process.exit(error instanceof DiskFullError ? DISK_FULL_EXIT_CODE : 1)
})
