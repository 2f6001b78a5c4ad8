import { z } from 'zod'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const RULE = '1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit'

/** Id of a dataset; text, not assumed to be a UUID. */
export const DatasetId = z.string().regex(NAME, `datasetId must be ${RULE}`)
export const TableName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, `a table name must be ${RULE} or _`)
/** The period tag of clients that do not know their period. */
export const UNKNOWN_PERIOD_TAG = '0'
export const PeriodTag = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, `periodTag must be ${RULE} or _`)
export const JobId = z.uuid('a job id is a UUID')
export const FileId = z.uuid('a file id is a UUID')
