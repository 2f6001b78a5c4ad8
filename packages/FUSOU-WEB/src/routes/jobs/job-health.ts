import type { JobStatus } from '@fusou/catalog'

/** A job waits for a slot and for a batch to fill; longer than this, more is asked for than gets done, or nobody takes it. */
const MAX_WAITING_SECONDS = 1800
/** The relay looks each minute. */
const MAX_DUE_SECONDS = 300

/** It runs each minute; a run with a hanging database takes a few. */
const MAX_CRON_AGE_SECONDS = 300

/** Whether somebody should look, and at what. Failures of the past do not count, those that stand do. */
export function judgeHealth(status: JobStatus): { ok: boolean; reasons: string[] } {
  const { oldestWaitingSeconds: waiting, expiredLeases, quarantinedFiles, installation, outbox, alerts, cron } = status
  const reasons = [
    waiting !== null &&
      waiting > MAX_WAITING_SECONDS &&
      `a job has waited for ${waiting} s: are all slots taken, or is the consumer not running?`,
    expiredLeases > 0 && `${expiredLeases} running jobs have lost their lease: is the rescuer running?`,
    // An owner's own files are theirs to mend; an operator is told of all owners' by an alert that can be acknowledged.
    alerts === null &&
      quarantinedFiles > 0 &&
      `${quarantinedFiles} of your files are in quarantine: merges leave them out`,
    installation?.problem &&
      `${installation.problem}: bucket and catalog do not belong together, and nothing is merged or deleted`,
    installation?.paused && `deletions are paused since ${installation.paused.since}`,
    installation?.sweep?.stoppedSince &&
      `${installation.sweep.orphans} objects have no row in the catalog: none is deleted until an operator accepts it`,
    outbox && outbox.dead > 0 && `${outbox.dead} outbox messages could not be sent`,
    outbox && (outbox.oldestDueSeconds ?? 0) > MAX_DUE_SECONDS && 'the outbox is not relayed: is the cron running?',
    cron &&
      cron.ageSeconds > MAX_CRON_AGE_SECONDS &&
      `the cron has not run for ${cron.ageSeconds} s: is fusou-workflow deployed?`,
    ...(alerts ?? []).map(({ kind, summary }) => `alert ${kind}: ${summary}`),
  ].filter((reason) => typeof reason === 'string')
  return { ok: reasons.length === 0, reasons }
}
