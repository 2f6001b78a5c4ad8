import { ERROR_CODES, type ErrorCode } from '@fusou/catalog'
import { z } from 'zod'
import { HTTP_STATUS } from './http-status.ts'
import type { Operation, Route } from './operation.ts'
import { Problem } from './problem.ts'

type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of the routes; its schemas are JSON Schema 2020-12, made of those that validate. */
export function describeApi(routes: readonly Route[]): Json {
  const components = new Components()
  const paths: Record<string, Json> = {}
  for (const { operation } of routes) {
    const path = operation.path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method]: describeOperation(operation, components) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'FUSOU compaction',
      version: '1.0.0',
      description: 'Upload small Parquet files; read each table back as a few large ones.',
    },
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A Supabase user JWT, the operator token, or for the daily trigger a GitHub OIDC token',
        },
        link: {
          type: 'apiKey',
          in: 'query',
          name: 'signature',
          description: 'A signed link, with its parameters key and expires; it takes the place of a token',
        },
      },
    },
  }
}

function describeOperation(operation: Operation, components: Components): Json {
  const { access, params, query, documentedQuery, documentedHeaders, body, streamedBody } = operation
  const content: Record<string, Json> = {}
  if (body) content['application/json'] = { schema: components.describe(body, 'input') }
  for (const [type, schema] of Object.entries(streamedBody ?? {}))
    content[type] = schema === 'binary' ? {} : { schema: components.describe(schema, 'input') }
  return {
    summary: operation.summary,
    security: access === 'open' ? [] : [{ bearer: [] }, ...(operation.forEngines ? [{ link: [] }] : [])],
    parameters: [
      ...parameters(params, 'path', components),
      ...parameters(query, 'query', components),
      ...parameters(documentedHeaders, 'header', components),
      ...parameters(documentedQuery, 'query', components).map((parameter) => ({
        ...parameter,
        required: false,
        description: 'beside a body that is the file itself; a form has it as a field',
      })),
    ],
    ...(Object.keys(content).length > 0 && { requestBody: { content } }),
    responses: { ...describeAnswers(operation, components), ...describeErrors(operation, components) },
  }
}

function parameters(schema: z.ZodType | undefined, where: 'path' | 'query' | 'header', components: Components): Json[] {
  if (!schema) return []
  const { properties, required = [] } = components.describe(schema, 'input') as {
    properties: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property,
  }))
}

function describeAnswers({ answers }: Operation, components: Components): Record<string, Json> {
  const described = Object.entries(answers).map(([status, { description, schema, mediaType }]) => {
    if (schema) return [status, { description, content: json('application/json', components, schema) }]
    return [status, { description, ...(mediaType !== undefined && { content: { [mediaType]: {} } }) }]
  })
  return Object.fromEntries(described)
}

/** One entry a status, naming the codes under it. */
function describeErrors(operation: Operation, components: Components): Record<string, Json> {
  const byStatus = Map.groupBy(errorsOf(operation), (code) => HTTP_STATUS[code])
  const described = [...byStatus].map(([status, codes]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}`).join('; '),
      content: json('application/problem+json', components, Problem),
    },
  ])
  return Object.fromEntries(described)
}

/** What the kind of a call makes possible, and what it says itself. */
function errorsOf({ access, method, streamedBody, errors = [] }: Operation): Set<ErrorCode> {
  return new Set<ErrorCode>([
    'invalid_request',
    ...(method === 'get' ? [] : (['unsupported_media_type', 'body_too_large', 'request_timeout'] as const)),
    ...(method === 'get' || streamedBody ? [] : (['invalid_json'] as const)),
    ...(access === 'open'
      ? []
      : ([
          'unauthenticated',
          'invalid_token',
          'token_expired',
          'identity_unavailable',
          'forbidden',
          'database_unavailable',
          'not_configured',
        ] as const)),
    ...errors,
    ...(access === 'open' ? [] : (['database_refused', 'database_mismatch', 'internal'] as const)),
  ])
}

const json = (type: string, components: Components, schema: z.ZodType) => ({
  [type]: { schema: components.describe(schema, 'output') },
})

/** Schemas that have an id, or refer to themselves, stand once under components. */
class Components {
  readonly schemas: Record<string, unknown> = {}

  describe(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema,
      $defs = {},
      ...described
    } = z.toJSONSchema(schema, {
      io,
      // what is not described is refused, at every depth
      override: ({ jsonSchema }) => {
        if (io === 'input' && jsonSchema.properties !== undefined) jsonSchema.additionalProperties = false
      },
    })
    for (const [name, definition] of Object.entries($defs)) this.schemas[componentName(name)] = lift(definition)
    return lift(described) as Json
  }
}

/** zod numbers what has no id; the only such schema is that of any JSON. */
const componentName = (name: string) => (name.startsWith('__') ? 'AnyJson' : name)

/** Point references into the definitions of one schema at the components of the document. */
function lift(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lift)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, entry]) => {
    if (key !== '$ref' || typeof entry !== 'string') return [key, lift(entry)]
    return [key, `#/components/schemas/${componentName(entry.replace('#/$defs/', ''))}`]
  })
  return Object.fromEntries(entries)
}
