import { FAULT_KINDS, FAULTS } from '../faults/fault-kinds.ts'
import type { ChaosReport } from './run-chaos.ts'

/** The report of a run, a line for each action and check. */
export function printChaos({ rounds, injected, tally, checked }: ChaosReport): string {
  const total = [...injected.values()].reduce((sum, count) => sum + count, 0)
  return [
    `${rounds} rounds, ${total} faults:`,
    ...FAULT_KINDS.map((kind) => `  ${String(injected.get(kind) ?? 0).padStart(6)}  ${kind.padEnd(22)}${FAULTS[kind]}`),
    'what the clients did, and how it was answered:',
    ...byAction(tally).map((line) => `  ${line}`),
    'held against what was promised:',
    ...Object.entries(checked).map(([what, count]) => `  ${String(count).padStart(9)}  ${what}`),
  ].join('\n')
}

const byAction = (tally: ChaosReport['tally']) =>
  [...tally]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([action, answers]) => {
      const each = [...answers].sort(([, a], [, b]) => b - a).map(([answer, count]) => `${answer} ×${count}`)
      return `${action.padEnd(18)}${each.join(', ')}`
    })
