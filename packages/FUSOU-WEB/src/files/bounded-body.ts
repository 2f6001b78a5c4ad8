import { describe, log, withinDeadline } from '@fusou/catalog'

/** The bucket gives the next bytes of an object within seconds, or something is wrong. */
export const READ_TIMEOUT_MS = 30_000

/**
 * The body of an object, which breaks off when the bucket gives nothing for `timeoutMs` although the client wants more: a
 * client that reads slowly is not hurried. The status is sent by then, so that only the missing bytes tell the client.
 */
export function boundedBody(
  body: ReadableStream<Uint8Array>,
  fields: Readonly<Record<string, unknown>>,
  timeoutMs = READ_TIMEOUT_MS,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await withinDeadline('get', timeoutMs, reader.read())
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          log('error', 'download_broke_off', { ...fields, ...describe(error) })
          reader.cancel(error).catch(() => {})
          throw error
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
