/**
 * What the platform says of an instance that it ended itself: a deployment replaced the code of the object that runs it,
 * its storage failed, or the Workflow service had an error of its own. Such an end says nothing about the job.
 * https://developers.cloudflare.com/durable-objects/observability/troubleshooting/
 */
const RESETS: readonly RegExp[] = [
  /reset because its code was updated/i,
  /code has been updated, this version can no longer access storage/i,
  /internal workflows? error/i,
  /WorkflowInternalError/,
  /internal error (?:in|while starting up) durable object storage/i,
  /storage operation exceeded timeout which caused object to be reset/i,
  /internal error; reference = /i,
]

/** Memory and computing time are spent by the job itself: a second instance would spend them too. */
const SPENT_BY_THE_JOB = /exceeded (?:its |the )?(?:memory|cpu)/i

/** @param message of an error that a Workflow threw, or that its status tells */
export function isInstanceReset(message: string): boolean {
  return RESETS.some((reset) => reset.test(message)) && !SPENT_BY_THE_JOB.test(message)
}
