import { z } from 'zod'
import { type ApiCaller, succeeded } from '../client/api-caller.ts'
import type { Ledger } from './ledger.ts'

const ReadFile = z.object({
  id: z.uuid(),
  table: z.string(),
  periodTag: z.string(),
  rows: z.int(),
  sha256: z.string(),
})
export type ReadFile = z.infer<typeof ReadFile>
const FilesPage = z.object({ version: z.int(), files: z.array(ReadFile), nextCursor: z.string().nullable() })

/**
 * List the files of a version, all pages, and note it: seen before, it must be what it was. A listing during which the
 * catalog was set back tells of no version.
 * @param version undefined: the current one
 * @returns the files, nothing where no answer came or the version is gone
 */
export async function readVersion(
  reader: ApiCaller,
  ledger: Ledger,
  datasetId: string,
  version?: number,
): Promise<ReadFile[] | undefined> {
  const files: ReadFile[] = []
  const { setBacks } = ledger
  const query = new URLSearchParams(version === undefined ? {} : { version: String(version) })
  for (;;) {
    const answer = await reader.call({ path: `/api/datasets/${datasetId}/files?${query}` })
    ledger.note(version === undefined ? 'list' : 'list version', answer.status)
    if (!succeeded(answer)) return undefined
    const page = FilesPage.parse(answer.body)
    files.push(...page.files)
    query.set('version', String(page.version))
    if (page.nextCursor === null) {
      const listing = files.map(({ id, table, periodTag, rows, sha256 }) =>
        [id, table, periodTag, rows, sha256].join(' '),
      )
      if (setBacks === ledger.setBacks) ledger.see({ datasetId, version: page.version, listing: listing.join('\n') })
      return files
    }
    query.set('cursor', page.nextCursor)
  }
}
