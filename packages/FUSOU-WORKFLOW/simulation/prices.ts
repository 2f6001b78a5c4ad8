/**
 * What Cloudflare asks for an operation beyond the included ones, in dollars a million, on the paid Workers plan.
 * Storage by the month is left out: it is that of the data, and of a week of superseded files.
 */
export const DOLLARS_PER_MILLION = {
  /** puts, parts, lists: developers.cloudflare.com/r2/pricing */
  r2ClassA: 4.5,
  /** reads; deletes are free: developers.cloudflare.com/r2/pricing */
  r2ClassB: 0.36,
  /** each write, read and delete of a message of 64 KB: developers.cloudflare.com/queues/platform/pricing */
  queueOperations: 0.4,
  /** of Pages Functions, queue batches and the cron: developers.cloudflare.com/workers/platform/pricing */
  workerRequests: 0.3,
  /**
   * An instance is billed as a request: developers.cloudflare.com/workflows/reference/pricing. Steps are counted at the
   * same price, so that the sum is not below the bill whether or not they are billed by themselves.
   */
  workflowSteps: 0.3,
  /** developers.cloudflare.com/workers/platform/pricing */
  cpuMilliseconds: 0.02,
} as const

export type Billed = keyof typeof DOLLARS_PER_MILLION
