/**
 * node fuzz/run.ts [--files 100000 | --minutes N] [--seed S] [--only INDEX] [--threads T] [--folder DIR] [--json]
 * Ends with 1 after a failure, whose file is then in the folder; the same seed and number make it again.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runFuzz } from './run-fuzz.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    threads: { type: 'string' },
    folder: { type: 'string', default: join(tmpdir(), 'parquet-fuzz-failures') },
    json: { type: 'boolean', default: false },
  },
})
const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
const minutes = number(values.minutes)
const only = number(values.only)
const threads = number(values.threads)
const seed = number(values.seed) ?? Math.floor(Math.random() * 2 ** 31)
const print = (text: string) => (values.json ? process.stderr : process.stdout).write(`${text}\n`)

print(`seed ${seed}`)
const report = await runFuzz({
  seed,
  files: number(values.files) ?? (minutes === undefined ? 100_000 : 2 ** 31 - 1),
  ...(minutes !== undefined && { minutes }),
  ...(only !== undefined && { only }),
  ...(threads !== undefined && { threads }),
  onProgress: (files) => process.stderr.isTTY && process.stderr.write(`\r${files} files `),
})
if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
mkdirSync(values.folder, { recursive: true })
for (const { index, seedName, way, error, bytes } of report.failures) {
  const path = join(values.folder, `${seed}-${index}.parquet`)
  writeFileSync(path, bytes)
  print(
    `FAILED ${index} (${seedName}, ${way}): ${error}\n  ${path}\n  again: npm run fuzz -- --seed ${seed} --only ${index}`,
  )
}
const { failures, ...summary } = report
if (values.json)
  process.stdout.write(`${JSON.stringify({ ...summary, failures: failures.map(({ bytes, ...rest }) => rest) })}\n`)
else {
  console.table(report.outcomes)
  const perSecond = Math.round(report.files / report.seconds)
  const mib = Math.round(report.peakAboveIdleBytes / 2 ** 20)
  print(`${report.files} files, ${failures.length} failures, ${perSecond} a second, ${mib} MiB above idle`)
}
process.exitCode = failures.length > 0 ? 1 : 0
