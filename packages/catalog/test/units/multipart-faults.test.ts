import { isInvalidPart, isNoSuchUpload } from '@fusou/catalog'
import { expect, test } from 'vitest'

const NO_SUCH_UPLOAD = new Error('uploadPart: The specified multipart upload does not exist. (10024)')
const INVALID_PART = new Error(
  'completeMultipartUpload: One or more of the specified parts could not be found. (10025)',
)

test.each([
  ['an upload that is gone', NO_SUCH_UPLOAD, [true, false]],
  ['a part that is another one', INVALID_PART, [false, true]],
  ['the code alone', new Error('abort: (10024)'), [true, false]],
  ['what another error was caused by', new Error('not stored', { cause: NO_SUCH_UPLOAD }), [true, false]],
  ['another fault of the bucket', new Error('put: overloaded (10058)'), [false, false]],
  ['what is no error', '(10024)', [false, false]],
])('%s is told by the words of the bucket', (_what, error, told) => {
  expect([isNoSuchUpload(error), isInvalidPart(error)]).toEqual(told)
})
