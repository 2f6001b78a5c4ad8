import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { printChaos } from '../chaos/print-chaos.ts'
import { runChaos } from '../chaos/run-chaos.ts'
import { StackError } from '../stack/stack-error.ts'
import { ProgressLine } from '../support/progress-line.ts'

const HELP = `npm run chaos -- [--minutes 2] [--seed <number>] [--clients 12]

Starts a stack of its own and lets many clients use it while it is killed, its database and bucket fail, and its queue
loses, delays and repeats messages. Then everything heals, and every row, version, job, dead letter and object is held
against what was promised. Exits with 1 if anything is not so, and keeps the state. The same seed makes the same choices.
`
/** differences that are printed */
const SHOWN = 40

function number(text: string, name: string, least: number): number {
  const value = Number(text)
  if (!(value >= least)) throw new StackError(`--${name} ${text}: a number from ${least} is needed`)
  return value
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '12' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const seconds = number(values.minutes, 'minutes', 0) * 60
  const seed = Math.floor(number(values.seed, 'seed', 0))
  const clients = Math.floor(number(values.clients, 'clients', 1))
  const folder = mkdtempSync(join(tmpdir(), 'fusou-chaos-'))
  const again = `npm run chaos -- --minutes ${values.minutes} --seed ${seed} --clients ${clients}`
  console.log(`seed ${seed}`)
  const report = await runChaos({ seconds, seed, clients, folder }, new ProgressLine()).catch((error) => {
    console.error(`${again}\nlogs and state are kept in ${folder}`)
    throw error
  })
  console.log(printChaos(report))
  for (const fault of report.faults.slice(0, SHOWN)) console.error(`WRONG: ${fault}`)
  if (report.faults.length > 0) {
    console.error(
      `${report.faults.length} things are wrong with seed ${seed}; logs and state are kept in ${folder}\n${again}`,
    )
    return 1
  }
  rmSync(folder, { recursive: true, force: true })
  console.log('nothing is lost, nothing is stuck')
  return 0
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof StackError ? `chaos: ${error.message}` : error)
    process.exit(1)
  },
)
