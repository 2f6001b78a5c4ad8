import type { LoadReport } from './run-load.ts'

/** The one call between an upload and its answer. */
const REGISTERS = 'register_upload'
/** The one operation of the bucket between an upload and its answer. */
const STORES = 'fusou put'

/** The figures of a run, a line each. */
export function printReport(report: LoadReport): string {
  const { accepted, duplicates, retried, uploadSeconds, latenciesMs, jobs, calls, operations, objects, checked } =
    report
  const lines: [string, string][] = [
    ['accepted', `${accepted}, ${duplicates} of them duplicates; ${retried} requests retried`],
    ['uploads per second', (accepted / uploadSeconds).toFixed(1)],
    ['latency', quantiles(latenciesMs)],
    ['by key', quantiles(report.keyLatenciesMs)],
    ['by token', quantiles(report.tokenLatenciesMs)],
    ['quiet after', `${report.quietSeconds.toFixed(1)} s`],
    ['jobs made', `${total(jobs)} (${each(jobs)})`],
    ['database calls', `${ratio(calls[REGISTERS] ?? 0, accepted)} an upload before its answer (${REGISTERS})`],
    ['', `${ratio(total(calls), accepted)} an upload with all that follows: ${each(calls)}`],
    ['R2 operations', `${ratio(operations[STORES] ?? 0, accepted)} an upload before its answer (${STORES})`],
    ['', `${ratio(total(operations), accepted)} an upload with all that follows: ${each(operations)}`],
    ['objects kept', `${each(objects)}, before vacuum`],
    ['checked', each(checked)],
  ]
  return lines.map(([name, text]) => `${name.padEnd(20)}${text}`).join('\n')
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0)
const ratio = (a: number, b: number) => (a / b).toFixed(2)
const each = (counts: Record<string, number>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

/** @param sorted ascending */
const quantiles = (sorted: readonly number[]) =>
  [50, 90, 99].map((p) => `p${p} ${percentile(sorted, p).toFixed(0)} ms`).join(', ')

/** @param sorted ascending */
const percentile = (sorted: readonly number[], p: number) => sorted[Math.ceil((sorted.length * p) / 100) - 1] ?? 0
