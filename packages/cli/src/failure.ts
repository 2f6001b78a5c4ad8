/** Told to the user in one line, without a stack; the command ends with this code. */
export class Failure extends Error {
  readonly exitCode: number

  /** @param exitCode 1: something failed; 2: the command was called wrongly */
  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
