import type { Transition } from './record-transitions.ts'

/** A machine as the document shows it. */
export interface DrawnMachine {
  readonly machine: string
  /** the arrows of the diagram */
  readonly arrows: readonly Pick<Transition, 'from' | 'to'>[]
  /** the rows of the table */
  readonly rows: readonly Transition[]
}

/**
 * Reads `## … (machine: <name>)` sections, each with a mermaid stateDiagram and a table that begins
 * `| from | to | function |`.
 */
export function readDrawnMachines(markdown: string): DrawnMachine[] {
  return markdown.split(/^## /m).flatMap((section) => {
    const machine = /^.*\(machine: (\w+)\)/.exec(section)?.[1]
    if (machine === undefined) return []
    const diagram = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(section)?.[1] ?? ''
    const arrows = [...diagram.matchAll(/^\s*(\S+) --> (\S+)/gm)].map(([, from, to]) => ({ from: from!, to: to! }))
    const rows = [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, from, to, name]) => ({
      machine,
      from: from!,
      to: to!,
      function: name!,
    }))
    return [{ machine, arrows, rows }]
  })
}
