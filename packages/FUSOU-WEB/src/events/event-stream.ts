import { describe, log } from '@fusou/catalog'
import { inEventStream, type ServerSentEvent } from './server-sent-event.ts'

/**
 * A body that asks for the next event only once the one before is on its way.
 * @param gone  aborted when the client has gone
 * @param ended called once, when the stream ends in whatever way
 */
export function eventStream(
  events: AsyncGenerator<ServerSentEvent>,
  gone: AbortController,
  ended: () => void = () => undefined,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let cancelled = false
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { value, done } = await events.next()
          if (cancelled) return
          if (done) {
            ended()
            controller.close()
          } else controller.enqueue(encoder.encode(inEventStream(value)))
        } catch (error) {
          // The client comes back, and is then told what is wrong.
          log('error', 'events_broke_off', describe(error))
          ended()
          if (!cancelled) controller.close()
        }
      },
      cancel() {
        cancelled = true
        ended()
        gone.abort()
      },
    },
    { highWaterMark: 0 },
  )
}
