import { type Catalog, type ComposedFooter, FusouError, type Requester, type TableScope } from '@fusou/catalog'
import { composeFooter } from './compose-footer.ts'

/** While somebody else composes the footer; then the client is told to come again. */
const MAX_WAIT_MS = 25_000
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 1000
/** The files of a version change while it is composed only when some of them are put into quarantine. */
const MAX_TRIES = 3

/**
 * The footer of a table file, which is composed if nobody has read this version of the table before.
 * @param open.version the newest if it is left out
 * @throws FusouError `unknown_dataset`, `unknown_table`, `unknown_version`, `version_gone`, `table_refused`, `overloaded`,
 *   `object_missing`, `storage_unavailable`
 */
export async function openTable(
  { catalog, bucket }: { catalog: Catalog; bucket: R2Bucket },
  scope: TableScope,
  requester: Requester,
  open: { version?: number | undefined; pinned: boolean },
): Promise<ComposedFooter> {
  let waitedMs = 0
  let pauseMs = FIRST_PAUSE_MS
  for (let tries = 0; tries < MAX_TRIES; ) {
    const opened = await catalog.openTable(scope, requester, { ...open, id: crypto.randomUUID() })
    switch (opened.outcome) {
      case 'ready':
        return opened.footer
      case 'compose': {
        const footer = await composeFooter({ catalog, bucket }, opened)
        if (footer !== 'changed') return footer
        tries += 1
        break
      }
      case 'busy':
        if (waitedMs >= MAX_WAIT_MS)
          throw new FusouError('overloaded', 'the table is being opened; try again in some seconds')
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        waitedMs += pauseMs
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
        break
      case 'refused':
        throw new FusouError('table_refused', opened.detail)
      case 'too_many_files':
        throw new FusouError(
          'table_refused',
          `the table has more than ${opened.max} files: merge it first (POST /api/compaction/sanitize-state), or read one period`,
        )
      case 'no_addresses':
        throw new FusouError('table_refused', 'the addresses of this table are used up: read a pinned version of it')
      case 'unknown_dataset':
        throw new FusouError('unknown_dataset', `no dataset ${scope.datasetId} that you may see`)
      case 'unknown_table':
        throw new FusouError('unknown_table', `${nameOf(scope)} has no files in this version`)
      default:
        throw new FusouError(opened.outcome, `the dataset ${scope.datasetId}`)
    }
  }
  throw new FusouError('overloaded', 'files of the table are being put into quarantine; try again in some seconds')
}

const nameOf = ({ datasetId, table, periodTag }: TableScope) =>
  `${table} in ${datasetId}${periodTag === undefined ? '' : `, period ${periodTag}`}`
