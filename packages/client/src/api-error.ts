/** Problem details (RFC 9457) as the API answers them. */
export interface Problem {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
  readonly requestId?: string
}

/** A call that was refused. `code` is stable; docs/api.md lists all codes. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | undefined

  constructor(status: number, problem: Problem | undefined) {
    super(problem?.detail ?? problem?.title ?? `the API answered ${status}`)
    this.name = 'ApiError'
    this.status = status
    this.code = problem?.code ?? `http_${status}`
    this.requestId = problem?.requestId
  }
}
