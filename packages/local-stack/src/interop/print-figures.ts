import { QUERIES } from './open-table.ts'
import type { Figures, Reading } from './take-reading.ts'

const BEGIN = '<!-- interop -->'
const END = '<!-- /interop -->'
const STEPS = ['open', ...QUERIES] as const

/** A reader, and what it read: the table in its states, and the same rows in one plain file. */
export interface Compared {
  readonly name: string
  readonly readings: readonly (readonly [what: string, reading: Reading])[]
}

/** Requests and kilobytes of each question, as a table in Markdown. */
export function printFigures(readers: readonly Compared[]): string {
  const lines = [`| reader | reads | ${STEPS.join(' | ')} |`, `|---|---|${STEPS.map(() => '--:|').join('')}`]
  for (const { name, readings } of readers)
    for (const [what, { steps }] of readings)
      lines.push(`| ${name} | ${what} | ${STEPS.map((step) => cellOf(steps.get(step))).join(' | ')} |`)
  return lines.join('\n')
}

function cellOf(figures: Figures | undefined): string {
  if (figures === undefined) return '—'
  return figures.requests === 0 ? '0' : `${figures.requests} / ${Math.ceil(figures.bytes / 1000)} kB`
}

/**
 * The document with other text between its two marker comments.
 * @throws Error when it does not have each marker once, in order
 */
export function replaceBetweenMarkers(document: string, text: string): string {
  const [before, rest, ...more] = document.split(BEGIN)
  const [, after, ...moreAfter] = rest?.split(END) ?? []
  if (after === undefined || more.length > 0 || moreAfter.length > 0 || before!.includes(END))
    throw new Error(`the document needs ${BEGIN} once, and ${END} once behind it`)
  return `${before}${BEGIN}\n${text}\n${END}${after}`
}
