/** Codes of R2, which end the message of its errors. */
const NO_SUCH_UPLOAD = /\(10024\)|upload does not exist/
const INVALID_PART = /\(10025\)|parts could not be found/

/** Whether a call of the bucket failed since the multipart upload is complete or aborted, or never was. */
export const isNoSuchUpload = (error: unknown): boolean => says(error, NO_SUCH_UPLOAD)

/** Whether the bucket has other parts than those that it was to complete. */
export const isInvalidPart = (error: unknown): boolean => says(error, INVALID_PART)

/** The fault itself, or what it was caused by. */
function says(error: unknown, words: RegExp): boolean {
  return error instanceof Error && (words.test(error.message) || says(error.cause, words))
}
