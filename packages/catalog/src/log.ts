/** Longest text of one field, in characters: the platform cuts a log at 256 KB, in the middle of a line. */
const MAX_FIELD_CHARACTERS = 2000

/** One JSON line an event: ids and numbers, no secrets, no bodies. */
export function log(level: 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void {
  const line = JSON.stringify({ event, ...fields }, (_key, value) =>
    typeof value === 'string' ? value.slice(0, MAX_FIELD_CHARACTERS) : value,
  )
  if (level === 'error') console.error(line)
  else console.log(line)
}

/** An error for a log line, with the causes that clients never see. */
export function describe(error: unknown): { error: string; cause?: string } {
  if (!(error instanceof Error)) return { error: String(error) }
  return { error: error.message, ...(error.cause === undefined ? {} : { cause: String(error.cause) }) }
}
