import { readFileSync } from 'node:fs'
import { ParquetError } from '../parquet-error.ts'
import { CommandError, messageOf } from './command-error.ts'
import { mergeFiles, planFiles, reportText } from './merge-files.ts'
import { parseCommand, USAGE } from './parse-command.ts'
import { ProgressLine } from './progress-line.ts'

/** The parts of its process that the command uses. */
export interface CommandProcess {
  stdout: { write(text: string): unknown }
  stderr: NodeJS.WriteStream
  signal: AbortSignal
}

/** @returns the exit code: 0 done, 1 failed, 2 wrong usage */
export async function runCommand(
  args: readonly string[],
  { stdout, stderr, signal }: CommandProcess,
): Promise<0 | 1 | 2> {
  const print = (text: string) => stdout.write(`${text}\n`)
  let progress: ProgressLine | undefined
  try {
    const command = parseCommand(args)
    switch (command.kind) {
      case 'help':
        print(USAGE)
        break
      case 'version':
        print(version())
        break
      case 'plan':
        print(await planFiles(command, signal))
        break
      case 'merge': {
        progress = new ProgressLine(stderr, !command.isQuiet)
        const report = await mergeFiles(command, progress, signal)
        progress.clear()
        if (command.isJson) print(JSON.stringify(report))
        else if (!command.isQuiet) print(reportText(report))
      }
    }
    return 0
  } catch (error) {
    progress?.clear()
    const { code, message, exitCode } = describe(error, signal)
    if (args.includes('--json')) print(JSON.stringify({ error: { code, message } }))
    stderr.write(`parquet-compact: ${message}\n`)
    return exitCode
  }
}

/** @throws what is not a known failure, which is a defect of this program */
function describe(error: unknown, signal: AbortSignal): { code: string; message: string; exitCode: 1 | 2 } {
  if (signal.aborted) {
    return { code: 'aborted', message: `aborted: ${messageOf(signal.reason)}; nothing was written`, exitCode: 1 }
  }
  if (error instanceof CommandError) return { code: error.code, message: error.message, exitCode: error.exitCode }
  if (error instanceof ParquetError) {
    return { code: error.code, message: error.message, exitCode: error.code === 'bad_option' ? 2 : 1 }
  }
  throw error
}

function version(): string {
  const manifest = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
