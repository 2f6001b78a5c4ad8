import type { Route } from '../http/operation.ts'
import type { serviceOpener } from '../services.ts'
import { listAudit } from './access/audit.ts'
import { createKey, listKeys, revokeKey } from './access/keys.ts'
import { me, myLimits } from './access/me.ts'
import { deleteUserData } from './access/user-data.ts'
import { acknowledgeLetter, dlqStatus } from './compaction/dlq-status.ts'
import { redrive } from './compaction/redrive.ts'
import { sanitizeState } from './compaction/sanitize-state.ts'
import { triggerScheduled } from './compaction/trigger-scheduled.ts'
import { upload } from './compaction/upload.ts'
import { configureDataset, deleteDataset, getDataset, listDatasets } from './datasets/datasets.ts'
import { getReceipt, listDeletions, listVersions, restoreDeletion } from './datasets/history.ts'
import { grantRole, listGrants, reserveDataset, revokeRole, transferDataset } from './datasets/sharing.ts'
import { configureTable, deletePeriod, deleteTable, getTable, listTables } from './datasets/tables.ts'
import { createWebhook, deleteWebhook, listWebhooks } from './datasets/webhooks.ts'
import { querySharedTable, sharedTableMetadata, sharedTableVersion } from './delta-sharing/shared-table.ts'
import { getShare, listAllSharedTables, listSchemas, listSharedTables, listShares } from './delta-sharing/shares.ts'
import { listDatasetFiles } from './files/dataset-files.ts'
import { readFile } from './files/file-bytes.ts'
import { acknowledgeFiles, discardFile, releaseFile } from './files/files.ts'
import { health } from './health.ts'
import { jobEvents } from './jobs/job-events.ts'
import { cancelJob, getJob, jobStatus, listJobs, retryJob } from './jobs/jobs.ts'
import { openapi } from './openapi.ts'
import { acceptInstallation } from './operate/accept-installation.ts'
import { adopt } from './operate/adopt.ts'
import { getAdmission, getRetention, putAdmission, putRetention } from './operate/installation-settings.ts'
import { getLimits, putLimits } from './operate/limits.ts'
import { metrics } from './operate/metrics.ts'
import { acceptOrphans, pauseVacuum, resumeVacuum, vacuum } from './operate/vacuum.ts'
import { readTableFile } from './tables/table-file.ts'
import { createTableLink } from './tables/table-links.ts'
import { tableSnippet } from './tables/table-snippet.ts'
import { completeUpload } from './uploads/complete-upload.ts'
import { uploadPart } from './uploads/upload-part.ts'
import { abortUpload, getUpload, openUpload } from './uploads/uploads.ts'

/** The HTTP contract, in the order in which addresses are matched. */
export function allRoutes(open: ReturnType<typeof serviceOpener>): readonly Route[] {
  const routes: Route[] = [
    upload,
    openUpload,
    getUpload,
    uploadPart,
    completeUpload,
    abortUpload,
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
    me,
    myLimits,
    createKey,
    listKeys,
    revokeKey,
    listDatasets,
    getDataset,
    reserveDataset,
    configureDataset,
    deleteDataset,
    listTables,
    readTableFile,
    createTableLink,
    tableSnippet,
    getTable,
    configureTable,
    deleteTable,
    deletePeriod,
    listShares,
    getShare,
    listSchemas,
    listSharedTables,
    listAllSharedTables,
    sharedTableVersion,
    sharedTableMetadata,
    querySharedTable,
    listVersions,
    listDeletions,
    restoreDeletion,
    getReceipt,
    createWebhook,
    listWebhooks,
    deleteWebhook,
    listGrants,
    grantRole,
    revokeRole,
    transferDataset,
    listAudit,
    deleteUserData,
    getAdmission,
    putAdmission,
    getRetention,
    putRetention,
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
