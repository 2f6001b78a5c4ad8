import { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts'

/**
 * The one error of the system. The code opens the message, because a Workflow keeps nothing else of an error
 * that crosses a step.
 */
export class FusouError extends Error {
  override readonly name = 'FusouError'
  readonly code: ErrorCode
  /** Says what happened and what to do; safe to show to a client. */
  readonly detail: string

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.code = code
    this.detail = detail
  }

  get transient(): boolean {
    return ERROR_CODES[this.code].transient
  }

  /** The error as it was before it crossed a step; one without a known code is `internal`. */
  static from(thrown: unknown): FusouError {
    if (thrown instanceof FusouError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const [, code, detail] = /^(?:\w*Error: )*([a-z_]+): (.*)$/s.exec(message) ?? []
    if (code !== undefined && detail !== undefined && isErrorCode(code))
      return new FusouError(code, detail, { cause: thrown })
    return new FusouError('internal', message, { cause: thrown })
  }
}
