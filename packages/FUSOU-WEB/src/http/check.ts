import { FusouError } from '@fusou/catalog'
import { z } from 'zod'

/** How many faults an answer names. */
const MAX_FAULTS = 20

/** @throws FusouError `invalid_request`, naming each field that is at fault */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const detail = faultsOf(result.error)
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ')
  throw new FusouError('invalid_request', `in the ${where}: ${detail}`, { cause: result.error })
}

/** The faults of a failed check, for the `errors` of problem details. */
export function faultsOf(error: z.ZodError): { field: string; message: string }[] {
  return error.issues.slice(0, MAX_FAULTS).map((issue) => ({
    field: z.core.toDotPath(issue.path),
    message: issue.message,
  }))
}
