import { type FieldFault, FusouError, findUnknownFields } from '@fusou/catalog'
import { z } from 'zod'

/** How many faults an answer names. */
const MAX_FAULTS = 20

/**
 * The one place where input from outside is checked. Fields that the schema does not know, at any depth, and fields that
 * were given more than once are faults like any other.
 * @param repeated fields that the reader of the input found more than once
 * @throws FusouError `invalid_request`, naming each field that is at fault
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
  repeated: readonly FieldFault[] = [],
): z.infer<Schema> {
  const result = schema.safeParse(value)
  const refused = [...repeated, ...findUnknownFields(schema, value)].map(({ path, message }) => ({
    code: 'custom' as const,
    path: [...path],
    message,
    input: undefined,
  }))
  if (result.success && refused.length === 0) return result.data
  // those are named one by one above
  const issues = result.error?.issues ?? []
  const known = refused.length === 0 ? issues : issues.filter(({ code }) => code !== 'unrecognized_keys')
  const error = new z.ZodError([...refused, ...known])
  const detail = faultsOf(error)
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ')
  const left = error.issues.length - MAX_FAULTS
  throw new FusouError('invalid_request', `in the ${where}: ${detail}${left > 0 ? `; and ${left} more` : ''}`, {
    cause: error,
  })
}

/** The faults of a failed check, for the `errors` of problem details. */
export function faultsOf(error: z.ZodError): { field: string; message: string }[] {
  return error.issues.slice(0, MAX_FAULTS).map((issue) => ({
    field: issue.path.length === 1 ? String(issue.path[0]) : z.core.toDotPath(issue.path),
    message: issue.message,
  }))
}

/**
 * Named texts, as a query or a form has them, as an object and the names that came more than once.
 * Only the first value of a name is taken.
 */
export function readFields(entries: Iterable<readonly [string, string]>): {
  fields: Record<string, string>
  repeated: FieldFault[]
} {
  const fields = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of entries) {
    if (fields.has(name)) repeated.add(name)
    else fields.set(name, value)
  }
  return {
    fields: Object.fromEntries(fields),
    repeated: [...repeated].map((name) => ({ path: [name], message: 'is given more than once; give it once' })),
  }
}
