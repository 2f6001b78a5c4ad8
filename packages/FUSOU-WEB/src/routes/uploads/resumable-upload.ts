import { FusouError, ResumableUpload } from '@fusou/catalog'
import { z } from 'zod'

export const UploadAddress = z.object({ id: z.uuid('the id of an upload is a UUID') })
export const ResumableUploadAnswer = ResumableUpload.meta({ id: 'ResumableUpload' })

/** The same words wherever an upload is not there, or somebody else's. */
export const noUpload = (id: string) => new FusouError('unknown_upload', `no upload ${id} of yours`)

const ADVICE: Readonly<Record<string, string>> = {
  completed: 'its file is registered; complete it again for the answer',
  refused: 'complete it again for the reason, and begin another',
  aborted: 'begin another',
  expired: 'begin another',
}

/** How an upload that takes nothing more is told. */
export function refuseEnded(
  id: string,
  answer: { outcome: 'unknown_upload' } | { outcome: 'ended'; state: ResumableUpload['state'] },
): FusouError {
  if (answer.outcome === 'unknown_upload') return noUpload(id)
  return new FusouError('upload_ended', `the upload is ${answer.state}: ${ADVICE[answer.state]}`)
}
