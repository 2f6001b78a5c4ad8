import { ApiError, type Problem } from './api-error.ts'

/** A result of openapi-fetch: the body of a successful answer, or of a refusal. */
interface Answered<Data> {
  readonly data?: Data
  readonly error?: unknown
  readonly response: Response
}

/**
 * The body of an answer.
 * @throws ApiError if the call was refused
 */
export async function unwrap<Data>(call: Promise<Answered<Data>>): Promise<NonNullable<Data>> {
  const { data, error, response } = await call
  if (data === undefined || data === null)
    throw new ApiError(response.status, typeof error === 'object' ? (error as Problem) : undefined)
  return data
}
