/** A start that cannot go on for a reason the user can act on: shown as it is, without a stack trace. */
export class StackError extends Error {
  override name = 'StackError'
}
