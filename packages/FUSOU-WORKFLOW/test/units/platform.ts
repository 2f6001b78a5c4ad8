/** What the sources take from the runtime, for tests that run without it. */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError'
}

export class WorkerEntrypoint {}

export class WorkflowEntrypoint<Env> {
  readonly ctx: unknown
  readonly env: Env

  constructor(ctx: unknown, env: Env) {
    this.ctx = ctx
    this.env = env
  }
}
