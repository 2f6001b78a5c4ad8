import { FAULT_KINDS, type FaultKind } from '../faults/fault-kinds.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'

/** Collects facts about a run from the log of the Workers. */
export class LogReader {
  readonly #plan: FaultPlan | undefined
  /** deliveries of messages that failed, to be made again */
  failedDeliveries = 0
  /** operations of the bucket by Worker and name: `fusou put` */
  readonly operations = new Map<string, number>()

  constructor(plan?: FaultPlan) {
    this.#plan = plan
  }

  read(line: string): void {
    const { event, kind, worker, operation } = fieldsOf(line)
    if (event === 'fault' && FAULT_KINDS.includes(kind as FaultKind)) this.#plan?.count(kind as FaultKind)
    else if (event === 'message_retried') this.failedDeliveries += 1
    else if (event === 'r2_operation') {
      const name = `${worker} ${operation}`
      this.operations.set(name, (this.operations.get(name) ?? 0) + 1)
    }
  }
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    // a line that a kill cut off, or one that is no event
    return {}
  }
}
