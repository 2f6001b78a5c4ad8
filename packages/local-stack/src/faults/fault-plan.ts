import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LOOPBACK } from '../stack/choose-port.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import type { FaultKind } from './fault-kinds.ts'

/** The plan that the Workers ask for; see front.ts. */
export interface PlannedFaults {
  seed: number
  probabilities: Partial<Record<FaultKind, number>>
  /** seconds by which objects in the bucket look older than they are */
  agedSeconds: number
}

/** The faults of this moment, by their probability, and a count of those that came true. */
export class FaultPlan {
  readonly counts = new Map<FaultKind, number>()
  readonly #random: SeededRandom
  readonly #planned: PlannedFaults
  readonly #server = createServer((_request, response) => response.end(JSON.stringify(this.#planned)))

  constructor(seed: number) {
    this.#planned = { seed, probabilities: {}, agedSeconds: 0 }
    this.#random = new SeededRandom(seed)
  }

  /** @returns the address at which the Workers ask */
  async listen(): Promise<string> {
    this.#server.listen(0, LOOPBACK)
    await once(this.#server, 'listening')
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}/`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  set(probabilities: PlannedFaults['probabilities']): void {
    this.#planned.probabilities = probabilities
  }

  ageObjects(seconds: number): void {
    this.#planned.agedSeconds = seconds
  }

  /** Whether this fault comes true now; counted if so. */
  strikes(kind: FaultKind): boolean {
    const struck = this.#random.next() < (this.#planned.probabilities[kind] ?? 0)
    if (struck) this.count(kind)
    return struck
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }
}
