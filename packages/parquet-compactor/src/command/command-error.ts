import type { ParquetErrorCode } from '../parquet-error.ts'

/** Failures of the command beside the merge itself, with the exit code of each. */
export const COMMAND_ERRORS = {
  /** unknown or contradicting options, or a value out of its range */
  wrong_usage: 2,
  /** a path or pattern that names no file */
  no_input: 2,
  /** the output is there already, and --force was not given */
  output_exists: 2,
  /** the output is one of the inputs */
  output_is_input: 2,
  /** a codec that this version of Node cannot write */
  codec_unavailable: 2,
  /** rows or schema read back from the output differ from those of the inputs */
  verify_failed: 1,
  /** the output could not be opened, written or put into its place */
  write_failed: 1,
  /** an input could not be found or read */
  read_failed: 1,
} as const

export type CommandErrorCode = keyof typeof COMMAND_ERRORS | ParquetErrorCode

/** The message opens with the code, as that of `ParquetError` does. */
export class CommandError extends Error {
  readonly code: keyof typeof COMMAND_ERRORS
  readonly exitCode: 1 | 2

  constructor(code: keyof typeof COMMAND_ERRORS, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.name = 'CommandError'
    this.code = code
    this.exitCode = COMMAND_ERRORS[code]
  }
}

export function isNotFound(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
