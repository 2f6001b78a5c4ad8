import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { type Commands, parsePlace, wholeNumber } from '../commands.ts'
import { configPath, readConfig } from '../config.ts'
import { Failure } from '../failure.ts'
import { bytes, count } from '../print.ts'
import { type UploadResult, uploadFiles } from '../upload-files.ts'

export function addUploadCommand(commands: Commands): void {
  const { program, session } = commands
  program
    .command('upload')
    .description('Upload files, and every .parquet file of folders')
    .argument('<paths...>')
    .requiredOption('--to <dataset/table>', '', parsePlace)
    .option('--period <tag>', 'period tag', '0')
    .option('--concurrency <number>', 'uploads at the same time', wholeNumber(1), 8)
    .option('--again', 'also send files that an earlier upload has noted as done')
    .action(async (paths: string[], { to, period, concurrency, again }) => {
      if (to.table === undefined) throw new Failure('--to needs a table: dataset/table', 2)
      const place = { datasetId: to.datasetId, tableId: to.table, periodTag: period }
      const { url } = readConfig(session.env)
      const name = createHash('sha256')
        .update(JSON.stringify([url, place]))
        .digest('hex')
        .slice(0, 16)
      const folder = join(dirname(configPath(session.env)), 'uploads')
      const journal = join(folder, again ? `${name}.${Date.now()}.jsonl` : `${name}.jsonl`)
      const totals = { stored: 0, duplicate: 0, 'done before': 0, failed: 0, rows: 0, bytes: 0 }
      const onResult = (result: UploadResult) => {
        totals[result.outcome]++
        totals.rows += result.rows ?? 0
        totals.bytes += result.outcome === 'stored' ? result.bytes : 0
        if (commands.asJson) session.out(`${JSON.stringify(result)}\n`)
        else if (result.outcome === 'failed')
          session.err(`${session.isTerminal ? '\r\x1b[K' : ''}${result.path}: ${result.error}\n`)
        if (session.isTerminal && !commands.asJson)
          session.err(
            `\r\x1b[K${count(totals.stored + totals.duplicate + totals['done before'])} files, ${bytes(totals.bytes)} sent`,
          )
      }
      const onProgress = (path: string, stored: number, byteLength: number) => {
        if (session.isTerminal && !commands.asJson)
          session.err(`\r\x1b[K${path}: ${Math.floor((stored / byteLength) * 100)} % of ${bytes(byteLength)}`)
      }
      const started = Date.now()
      await uploadFiles(commands.client, paths, place, { concurrency, journal, onResult, onProgress })
      if (session.isTerminal && !commands.asJson) session.err('\n')
      const seconds = (Date.now() - started) / 1000
      if (!commands.asJson)
        session.out(
          `${count(totals.stored)} stored (${count(totals.rows)} rows, ${bytes(totals.bytes)}), ` +
            `${count(totals.duplicate)} were there, ${count(totals['done before'])} done before, ` +
            `${count(totals.failed)} failed, in ${seconds.toFixed(1)} s\n`,
        )
      if (totals.failed > 0) throw new Failure(`${totals.failed} files were not uploaded; run the same command again`)
    })
}
