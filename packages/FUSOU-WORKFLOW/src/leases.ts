/**
 * How long a job may be silent before the rescuer looks after it. Each step renews the lease as it begins, so this
 * covers the longest step with its retries' pauses; expiry costs one question to the Workflow, never a running attempt.
 */
export const LEASE_SECONDS = 15 * 60
