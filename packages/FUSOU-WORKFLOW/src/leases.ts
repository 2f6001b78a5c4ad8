/**
 * How long a job may be silent before the rescuer looks after it. Each step renews the lease as it begins, so this
 * covers the longest step with its retries' pauses; expiry costs one question to the Workflow, never a running attempt.
 */
export const LEASE_SECONDS = 15 * 60

/**
 * Until the first step of an attempt enters: its instance begins within seconds, or was never made. With the minute of
 * the cron, an attempt without an instance is found in two minutes.
 */
export const FIRST_LEASE_SECONDS = 60

/** The same for an attempt that follows another: its message comes with the relay and waits for a batch to fill. */
export const NEXT_LEASE_SECONDS = 120

/** When the Workflow does not say what became of an instance: asked again then, behind the others. */
export const UNKNOWN_LEASE_SECONDS = 5 * 60
