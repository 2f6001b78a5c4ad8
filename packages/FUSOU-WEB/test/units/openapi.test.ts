import { describe, expect, test } from 'vitest'
import { describeApi } from '../../src/http/describe-api.ts'
import { allRoutes } from '../../src/routes/all-routes.ts'

interface Content {
  'application/json'?: { schema?: { $ref?: string } }
}
interface Described {
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

const document = describeApi(
  allRoutes(() => {
    throw new Error('no call is made')
  }),
) as { paths: Record<string, Record<string, Described>>; components: { schemas: Record<string, unknown> } }

const SCHEMAS = `
  AbortUploadAnswer AcceptInstallationAnswer AcceptInstallationRequest AcceptOrphansAnswer AcceptOrphansRequest
  AccessKey AcknowledgeAnswer AcknowledgeRequest Admission AdmissionRequest AdoptAnswer AdoptRequest AnyJson
  AuditEntry AuditPage CancelAnswer Column ConfigureDatasetAnswer ConfigureDatasetRequest ConfigureTableAnswer
  CreatedKey Dataset DatasetSettings DatasetsPage DeleteWebhookAnswer Deletion DeletionAnswer DeletionsPage
  DeltaQueryRequest DeltaSchemas DeltaShare DeltaShareAnswer DeltaSharedTable DeltaSharedTables DeltaShares
  DeltaSharingProfile DiscardAnswer DlqStatus FilesPage Grant GrantAnswer GrantRequest GrantsPage Health Job
  JobStatus JobsPage KeyRequest KeysPage Limits LimitsOfOwner LimitsRequest ListedDataset ListedTable ListedVersion
  Me NewAccessKey NewWebhook OpenUploadRequest OwnedDataset PauseAnswer PauseRequest Problem Receipt RedriveAnswer
  RedriveRequest ReleaseAnswer RestoreAnswer ResumableUpload Retention RetentionRequest RetryAnswer SanitizeAnswer
  SanitizeRequest SortColumn Table TableLink TableLinkRequest TableSettings TableSettingsChanges TablesPage
  TransferRequest TriggerAnswer TriggerRequest UnreadableRow UploadAnswer UploadPart UserDataAnswer VacuumPage
  VersionsPage Webhook WebhookList WebhookRequest
`.match(/\w+/g)

describe('the OpenAPI document', () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  )

  test.each(operations)(
    'names every JSON body and answer of %s, so that generated clients have types',
    (_, operation) => {
      const contents = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map(({ content }) => content),
      ]
      const schemas = contents
        .map((content) => content?.['application/json']?.schema)
        .filter((schema) => schema !== undefined)
      expect(schemas.filter(({ $ref }) => !$ref?.startsWith('#/components/schemas/'))).toEqual([])
    },
  )

  test('says that bodies take no fields beside those it names', () => {
    const parts = (value: unknown): Record<string, unknown>[] => {
      if (typeof value !== 'object' || value === null) return []
      return [value as Record<string, unknown>, ...Object.values(value).flatMap(parts)]
    }
    const closed = (name: string) =>
      parts(document.components.schemas[name])
        .filter((part) => typeof part.properties === 'object' && part.type === 'object')
        .map(({ additionalProperties }) => additionalProperties)
    const requests = Object.keys(document.components.schemas).filter((name) => name.endsWith('Request'))
    expect(requests.length).toBeGreaterThan(10)
    for (const name of requests) expect(new Set(closed(name)), name).toEqual(new Set([false]))
  })

  test('has these schemas: a change of a name changes the types of generated clients', () => {
    expect(operations.length).toBeGreaterThan(25)
    expect(Object.keys(document.components.schemas).sort()).toEqual(SCHEMAS)
  })
})
