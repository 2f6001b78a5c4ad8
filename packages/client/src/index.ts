export type { components, paths } from './api.ts'
export { ApiError, type Problem } from './api-error.ts'
export {
  FusouClient,
  type FusouOptions,
  items,
  type Job,
  type UploadAnswer,
  type UploadPlace,
  unwrap,
} from './client.ts'
export { type RetryOptions, retryingFetch } from './retrying-fetch.ts'
