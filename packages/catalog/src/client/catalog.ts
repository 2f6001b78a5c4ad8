import { Database, type DatabaseConfig } from '../database/database.ts'
import { accessCalls } from './access.ts'
import { admissionCalls } from './admission.ts'
import { adoptionCalls } from './adoption.ts'
import { alertsCalls } from './alerts.ts'
import { attemptsCalls } from './attempts.ts'
import { datasetsCalls } from './datasets.ts'
import { deadLettersCalls } from './dead-letters.ts'
import { filesCalls } from './files.ts'
import { historyCalls } from './history.ts'
import { installationCalls } from './installation.ts'
import { jobsCalls } from './jobs.ts'
import { limitsCalls } from './limits.ts'
import { mergesCalls } from './merges.ts'
import { monitoringCalls } from './monitoring.ts'
import { outboxCalls } from './outbox.ts'
import { requestsCalls } from './requests.ts'
import { resumableUploadsCalls } from './resumable-uploads.ts'
import { tableFilesCalls } from './table-files.ts'
import { uploadsCalls } from './uploads.ts'
import { vacuumCalls } from './vacuum.ts'
import { webhooksCalls } from './webhooks.ts'

/**
 * The catalog, one method a database function; see supabase/schemas for what each promises.
 * Every method throws FusouError `database_unavailable` or `database_mismatch` (transient: call again, each call can be
 * repeated) or `database_refused`. A `sender` is who will send the outbox messages of the answer; without one the relay does.
 */
export type Catalog = ReturnType<typeof connectCatalog>

/** The calls of all topics, in one object. */
export function connectCatalog(config: DatabaseConfig) {
  const database = new Database(config)
  return {
    ...monitoringCalls(database),
    ...accessCalls(database),
    ...datasetsCalls(database),
    ...uploadsCalls(database),
    ...resumableUploadsCalls(database),
    ...requestsCalls(database),
    ...attemptsCalls(database),
    ...mergesCalls(database),
    ...jobsCalls(database),
    ...admissionCalls(database),
    ...deadLettersCalls(database),
    ...alertsCalls(database),
    ...outboxCalls(database),
    ...filesCalls(database),
    ...tableFilesCalls(database),
    ...webhooksCalls(database),
    ...vacuumCalls(database),
    ...installationCalls(database),
    ...adoptionCalls(database),
    ...limitsCalls(database),
    ...historyCalls(database),
  }
}
