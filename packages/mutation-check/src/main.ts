import { parseArgs } from 'node:util'
import { check, printMutant, printTotals } from './check.ts'
import { MUTATED_PACKAGES } from './tested-packages.ts'

const HELP = `npm run mutate -- [--mutants 150] [--seed <number>] [--package <name>]… [--patience 120] [--quick] [--json]

Puts small faults into the sources of a copy of this repository, one at a time, and counts how many the fitting tests
notice. Faults that the type checker notices are not counted. The same seed draws the same faults. A run that was
interrupted goes on where it was; faults that went unnoticed are tried again once a test has changed.

  --package    of ${MUTATED_PACKAGES.join(', ')}; all by default
  --patience   seconds of tests that one fault may cost
  --quick      only faults that tests without a runtime and a database reach, and only those tests
  --least      percentage that must be noticed; below it the command exits with 1
  --json       all verdicts as JSON on standard output
`

function number(text: string, name: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new Error(`--${name} ${text}: a number from 0 is needed`)
  return value
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'string', default: '150' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      package: { type: 'string', multiple: true, default: [...MUTATED_PACKAGES] },
      patience: { type: 'string', default: '120' },
      least: { type: 'string', default: '0' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  for (const name of values.package) {
    if (!MUTATED_PACKAGES.some((known) => known === name))
      throw new Error(`--package ${name}: ${MUTATED_PACKAGES.join(', ')}`)
  }
  const say = (line: string) => console.error(line)
  const seed = number(values.seed, 'seed')
  say(`seed ${seed}`)
  const verdicts = await check({
    packages: values.package,
    mutants: number(values.mutants, 'mutants'),
    seed,
    patienceSeconds: number(values.patience, 'patience'),
    isQuick: values.quick,
    say,
    each: (tried) => say(printMutant(tried)),
  })
  const { text, fraction } = printTotals(verdicts)
  say(text)
  if (values.json) console.log(JSON.stringify({ seed, verdicts }, undefined, 2))
  return fraction * 100 >= number(values.least, 'least') ? 0 : 1
}

process.exitCode = await main().catch((error) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})
