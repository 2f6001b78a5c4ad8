import { withinDeadline } from '../deadline.ts'

/** A call of the bucket that moves little: the object store answers it within seconds, or something is wrong. */
export const BUCKET_CALL_TIMEOUT_MS = 30_000
/** One part of an upload, or the whole body of an object that is read at once: up to tens of MB. */
export const BUCKET_BODY_TIMEOUT_MS = 60_000

type Method = (...args: unknown[]) => unknown

interface Bounds {
  /** how long each of these methods may take, in milliseconds */
  readonly methods: Readonly<Record<string, number>>
  /** bounds for the methods of the objects that the methods answer */
  readonly answers?: Readonly<Record<string, Bounds>>
}

/**
 * A bucket whose calls have deadlines: head, get and the reading of what it gives, put of bytes, delete, list, and each
 * call of an upload in parts. A put of a stream has none here, nor a part that is a stream, since its pace is that of the
 * client who sends it: whoever writes the stream bounds each write.
 * @param bucket an R2 bucket, or what stands in for one
 */
export function boundedBucket<Bucket extends object>(
  bucket: Bucket,
  callTimeoutMs = BUCKET_CALL_TIMEOUT_MS,
  bodyTimeoutMs = BUCKET_BODY_TIMEOUT_MS,
): Bucket {
  const [call, body] = [callTimeoutMs, bodyTimeoutMs]
  const object = { methods: { arrayBuffer: body, bytes: body, text: body, json: body, blob: body } }
  const upload = { methods: { uploadPart: body, complete: body, abort: call } }
  return bounded(bucket, {
    methods: { head: call, get: call, put: body, delete: call, list: call, createMultipartUpload: call },
    answers: { get: object, createMultipartUpload: upload, resumeMultipartUpload: upload },
  })
}

function bounded<Target extends object>(target: Target, { methods, answers = {} }: Bounds): Target {
  const boundAnswer = (name: string, value: unknown) => {
    const bounds = answers[name]
    return bounds && typeof value === 'object' && value !== null ? bounded(value, bounds) : value
  }
  return new Proxy(target, {
    get(_, name) {
      // Objects of the runtime look for what is theirs in `this`: methods and getters are called on the target.
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const method = (value as Method).bind(target)
      if (typeof name !== 'string') return method
      const timeoutMs = methods[name]
      if (timeoutMs === undefined) return (...args: unknown[]) => boundAnswer(name, method(...args))
      return async (...args: unknown[]) => {
        const called = Promise.resolve(method(...args))
        if ((name === 'put' || name === 'uploadPart') && args[1] instanceof ReadableStream) return called
        return boundAnswer(name, await withinDeadline(name, timeoutMs, called))
      }
    },
  })
}
