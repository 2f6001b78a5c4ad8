import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnswerError } from './demo/fusou-client.ts'
import { runDemo } from './demo/run-demo.ts'
import { StackError } from './stack-error.ts'
import { type Stack, startStack } from './start-stack.ts'

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'fusou-demo-'))
  let stack: Stack | undefined
  const stop = async () => {
    await stack?.stop()
    rmSync(folder, { recursive: true, force: true })
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
        logs.push(`[${source}] ${line}`)
        if (logs.length > 40) logs.shift()
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
    return faults.length === 0 ? 0 : 1
  } catch (error) {
    const known = error instanceof StackError || error instanceof AnswerError
    console.error(known ? `demo: ${error.message}` : error)
    console.error(`the last log lines:\n${logs.join('\n')}`)
    return 1
  } finally {
    await stop()
  }
}

process.exit(await main())
