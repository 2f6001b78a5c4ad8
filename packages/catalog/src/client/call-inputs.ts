/** The user who asks; null for an operator, who sees all. */
export type Requester = string | null

/** Ids that prove who writes: the job and the generation of its attempt. */
export interface Attempt {
  readonly jobId: string
  readonly attempt: number
}

/** The step or merge an attempt enters, and how long the steps before took, in seconds. */
export interface StepEntry {
  readonly leaseSeconds: number
  readonly finished?: Readonly<Record<string, number>>
}
