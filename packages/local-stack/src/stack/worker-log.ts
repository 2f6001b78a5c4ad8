/**
 * One JSON line for a console line of a Worker: `{time, worker, level, …}`, with the fields of the line itself when it is
 * JSON, or `message`.
 */
export function writeWorkerLog({ timestamp, level, message }: { timestamp: number; level: string; message: string }) {
  const [, worker = 'runtime', text = message] = /^@([\w-]+) ([\s\S]*)$/.exec(message) ?? []
  const line = { time: new Date(timestamp).toISOString(), worker, level, ...fieldsOf(text) }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function fieldsOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  return { message: text }
}
