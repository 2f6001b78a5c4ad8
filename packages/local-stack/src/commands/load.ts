import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AnswerError } from '../client/fusou-client.ts'
import { printReport } from '../load/print-report.ts'
import { runLoad } from '../load/run-load.ts'
import { StackError } from '../stack/stack-error.ts'
import { ProgressLine } from '../support/progress-line.ts'

const HELP = `npm run load -- [--uploads 10000] [--clients 50] [--seed 1]

Starts a stack of its own, uploads so many small files, waits until all is compacted, and holds every row, version, job
and object against what was promised, as npm run chaos does. Exits with 1 if anything is not so.
`
/** differences that are printed */
const SHOWN = 20

function positive(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new StackError(`--${name} ${text}: a whole number from 1 is needed`)
  return number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      uploads: { type: 'string', default: '10000' },
      clients: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [uploads, clients] = [positive(values.uploads, 'uploads'), positive(values.clients, 'clients')]
  const seed = positive(values.seed, 'seed')
  const folder = mkdtempSync(join(tmpdir(), 'fusou-load-'))
  const report = await runLoad({ uploads, clients, seed, folder }, new ProgressLine()).catch((error) => {
    console.error(`logs are kept in ${folder}`)
    throw error
  })
  console.log(printReport(report))
  for (const fault of report.faults.slice(0, SHOWN)) console.error(`DIFFERENT: ${fault}`)
  if (report.faults.length > 0) {
    console.error(`${report.faults.length} differences; logs and files are kept in ${folder}`)
    return 1
  }
  rmSync(folder, { recursive: true, force: true })
  console.log(
    'nothing is lost, nothing is stuck: every upload that was answered has its rows in the live version exactly once',
  )
  return 0
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof StackError || error instanceof AnswerError ? `load: ${error.message}` : error)
    process.exit(1)
  },
)
