import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type QueueMessage, SendError, sendToLocalQueue, sendToRemoteQueue } from '../client/send-to-queue.ts'
import { readStackInfo } from '../stack/stack-info.ts'
import { REPO_ROOT } from '../support/repo-root.ts'

const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4'

const HELP = `npm run queues:send -- <queue> '<json>' [--remote] [--text]

Sends one message: to the stack that npm start runs, or with --remote to the real account.

  --remote   through Cloudflare's HTTP push API; wants CLOUDFLARE_ACCOUNT_ID and
             CLOUDFLARE_API_TOKEN (permission Queues Edit) in the environment
  --text     send the body as text even when it is not JSON
  --help     this text

  FUSOU_STATE   state folder of the local stack (default .local)

Queues: dev-kc-compaction-queue, dev-kc-compaction-dlq
Exit code: 0 sent, 1 not sent, 2 wrong call
`

/** A call that cannot be right: exit code 2. */
class UsageError extends Error {}

function readCall(args: string[]) {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  if (values.help) return undefined
  const [queue, text] = positionals
  if (positionals.length !== 2 || !queue || text === undefined)
    throw new UsageError(`wanted: a queue and one body; got ${positionals.length} arguments`)
  return { queue, message: readMessage(text, values.text), remote: values.remote }
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      remote: { type: 'boolean', default: false },
      text: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })

function readMessage(text: string, asText: boolean): QueueMessage {
  if (asText) {
    console.error('note: sent as text, not as JSON')
    return { body: text, contentType: 'text' }
  }
  try {
    return { body: JSON.parse(text), contentType: 'json' }
  } catch (error) {
    throw new UsageError(`the body is not JSON: ${(error as Error).message}; --text sends it as text`)
  }
}

function requiredVariable(name: string): string {
  const value = process.env[name]
  if (!value) throw new UsageError(`--remote wants ${name} in the environment`)
  return value
}

async function main(): Promise<void> {
  const call = readCall(process.argv.slice(2))
  if (!call) return void process.stdout.write(HELP)
  const { queue, message, remote } = call
  if (remote) {
    const account = {
      accountId: requiredVariable('CLOUDFLARE_ACCOUNT_ID'),
      apiToken: requiredVariable('CLOUDFLARE_API_TOKEN'),
      baseUrl: process.env.CLOUDFLARE_API_BASE_URL ?? CLOUDFLARE_API,
    }
    await sendToRemoteQueue(account, queue, message)
  } else {
    const stateFolder = resolve(REPO_ROOT, process.env.FUSOU_STATE ?? '.local')
    const stack = readStackInfo(stateFolder)
    if (!stack) throw new SendError(`no local stack runs on ${stateFolder}: start one with npm start, or say --remote`)
    await sendToLocalQueue(stack, queue, message)
  }
  console.log(`sent to ${queue}${remote ? ' (remote)' : ''}`)
}

main().catch((error) => {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${HELP}`)
    process.exitCode = 2
  } else {
    console.error(error instanceof SendError ? error.message : error)
    process.exitCode = 1
  }
})
