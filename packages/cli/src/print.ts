/** Rows under their names, columns as wide as they need to be; numbers to the right. */
export function table(rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[]): string {
  if (rows.length === 0) return 'nothing\n'
  const lines = rows.map((row) => names.map((name) => text(row[name])))
  const widths = names.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column]!.length)))
  const isNumber = names.map((name) => rows.every((row) => typeof row[name] === 'number' || row[name] === null))
  const pad = (cell: string, column: number) =>
    isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  return [names, ...lines].map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('')
}

/** Names and values, one a line. */
export function fields(values: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(values).map((name) => name.length))
  return Object.entries(values)
    .map(([name, value]) => `${name.padEnd(width)}  ${text(value)}\n`)
    .join('')
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'number') return count(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export const count = (number: number): string => number.toLocaleString('en-US')

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']

/** Three digits and a unit of a thousand. */
export function bytes(number: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, number)) / 3)))
  const value = number / 1000 ** unit
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`
}
