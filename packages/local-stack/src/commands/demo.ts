import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnswerError } from '../client/fusou-client.ts'
import { runDemo } from '../demo/run-demo.ts'
import { StackError } from '../stack/stack-error.ts'
import { type Stack, startStack } from '../stack/start-stack.ts'

/** shown when something went wrong */
const LOG_LINES = 10

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-demo-'))
  let stack: Stack | undefined
  let keep = false
  const stop = async () => {
    await stack?.stop()
    if (keep) console.error(`logs, fragments and result are kept in ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop().then(() => process.exit(signal === 'SIGINT' ? 130 : 143)))
  const logs: string[] = []
  try {
    const started = Date.now()
    console.log('starting the stack: embedded Supabase, Pages, Worker, queues, Workflow, R2 …')
    stack = await startStack({
      stateFolder: join(folder, 'state'),
      onLog: (source, line) => {
        if (!/"(level":"error|message":")/.test(line)) return
        logs.push(`[${source}] ${line}`)
        if (logs.length > LOG_LINES) logs.shift()
      },
    })
    const dead = stack.failed.then((error) => {
      throw error
    })
    const faults = await Promise.race([runDemo(stack.info, join(folder, 'work'), started), dead])
    for (const fault of faults) console.error(`DIFFERENT: ${fault}`)
    console.log(
      faults.length === 0 ? 'every row is there once, every value is the same' : `${faults.length} differences`,
    )
    keep = faults.length > 0
    return keep ? 1 : 0
  } catch (error) {
    const known = error instanceof StackError || error instanceof AnswerError
    console.error(known ? `demo: ${error.message}` : error)
    if (logs.length > 0) console.error(`the last errors in the logs:\n${logs.join('\n')}`)
    keep = true
    return 1
  } finally {
    await stop()
  }
}

process.exit(await main())
