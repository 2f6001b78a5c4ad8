/** https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
export interface ServerSentEvent {
  readonly event?: string
  readonly id?: string
  /** one line */
  readonly data?: string
  /** milliseconds until the client comes back */
  readonly retry?: number
  /** read by nobody: keeps the connection open */
  readonly comment?: string
}

export const STILL_HERE: ServerSentEvent = { comment: 'still here' }

const FIELDS = ['event', 'id', 'retry', 'data'] as const

export function inEventStream(event: ServerSentEvent): string {
  const lines = FIELDS.filter((field) => event[field] !== undefined).map((field) => `${field}: ${event[field]}\n`)
  if (event.comment !== undefined) lines.unshift(`: ${event.comment}\n`)
  return `${lines.join('')}\n`
}
