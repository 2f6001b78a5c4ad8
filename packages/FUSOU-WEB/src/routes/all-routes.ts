import type { Route } from '../http/operation.ts'
import type { serviceOpener } from '../services.ts'
import { acceptInstallation } from './accept-installation.ts'
import { adopt } from './adopt.ts'
import { listDatasetFiles } from './dataset-files.ts'
import { acknowledgeLetter, dlqStatus } from './dlq-status.ts'
import { readFile } from './file-bytes.ts'
import { acknowledgeFiles, discardFile, releaseFile } from './files.ts'
import { health } from './health.ts'
import { jobEvents } from './job-events.ts'
import { cancelJob, getJob, jobStatus, listJobs, retryJob } from './jobs.ts'
import { getLimits, putLimits } from './limits.ts'
import { metrics } from './metrics.ts'
import { openapi } from './openapi.ts'
import { redrive } from './redrive.ts'
import { sanitizeState } from './sanitize-state.ts'
import { triggerScheduled } from './trigger-scheduled.ts'
import { upload } from './upload.ts'
import { acceptOrphans, pauseVacuum, resumeVacuum, vacuum } from './vacuum.ts'

/** The HTTP contract, in the order in which addresses are matched. */
export function allRoutes(open: ReturnType<typeof serviceOpener>): readonly Route[] {
  const routes: Route[] = [
    upload,
    sanitizeState,
    triggerScheduled,
    dlqStatus,
    acknowledgeLetter,
    redrive,
    listJobs,
    jobStatus,
    getJob,
    jobEvents,
    cancelJob,
    retryJob,
    listDatasetFiles,
    readFile,
    acknowledgeFiles,
    discardFile,
    releaseFile,
    metrics,
    vacuum,
    pauseVacuum,
    resumeVacuum,
    acceptOrphans,
    acceptInstallation,
    adopt,
    getLimits,
    putLimits,
    health(open),
  ]
  routes.push(openapi(routes))
  return routes
}
