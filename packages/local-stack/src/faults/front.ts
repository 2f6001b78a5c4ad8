// Stands in front of both Workers, in workerd: it has no imports, and what it knows comes from the address in FAULTS_URL.
// Writes a log line for each operation of the bucket and each fault; without FAULTS_URL there are no faults.

interface Env {
  FAULTS_URL?: string
  /** pauses before another try of a step or a message are shorter by this factor */
  FAULTS_HURRY?: string
  [binding: string]: unknown
}

interface PlannedFaults {
  seed: number
  probabilities: Record<string, number>
  agedSeconds: number
}

type Method = (...args: unknown[]) => unknown
type Methods = Record<string, Method>

interface Message {
  readonly id: string
  readonly timestamp: Date
  readonly body: unknown
  readonly attempts: number
  ack(): void
  retry(options?: object): void
}

interface Batch {
  readonly queue: string
  readonly messages: readonly Message[]
}

interface Handler {
  fetch?(request: unknown, env: Env, ctx: unknown): unknown
  scheduled?(controller: unknown, env: Env, ctx: unknown): unknown
  queue?(batch: Batch, env: Env, ctx: unknown): unknown
}

interface Step {
  do(name: string, config: StepConfig, body: Method): Promise<unknown>
}

interface StepConfig {
  retries: { limit: number; delay: number; backoff: string }
  timeout: string
}

const DEAD_LETTER_QUEUE = /dlq$/
const PLAN_MS = 200
const SLOW_MS = 4000
const LATE_MS = 5000
const AGAIN_MS = 30_000
const HUNG_MS = 2 ** 30
const HURRIED_TIMEOUT = '30 seconds'
/** Operations that answer with a promise, unlike `resumeMultipartUpload`. */
const BUCKET_OPERATIONS = ['get', 'put', 'delete', 'list', 'head', 'createMultipartUpload']
const UPLOAD_OPERATIONS = ['uploadPart', 'complete', 'abort']

let plan: PlannedFaults = { seed: 0, probabilities: {}, agedSeconds: 0 }
let askedAt = 0
let randomState = 0

async function askForPlan(env: Env): Promise<PlannedFaults> {
  if (env.FAULTS_URL === undefined || Date.now() - askedAt < PLAN_MS) return plan
  askedAt = Date.now()
  plan = (await (await fetch(env.FAULTS_URL)).json()) as PlannedFaults
  if (randomState === 0) randomState = plan.seed
  return plan
}

/** Mulberry32. */
function random(): number {
  randomState = (randomState + 0x6d2b79f5) >>> 0
  let t = Math.imul(randomState ^ (randomState >>> 15), randomState | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

function strikes(kind: string, fields: object): boolean {
  const struck = random() < (plan.probabilities[kind] ?? 0)
  if (struck) console.log(JSON.stringify({ event: 'fault', kind, ...fields }))
  return struck
}

const pause = (maxMs: number) => new Promise((resolve) => setTimeout(resolve, random() * maxMs))

class InjectedError extends Error {
  constructor(what: string) {
    super(`injected: ${what}`)
  }
}

/** The object itself, but with these of its methods and properties. */
function instead<T extends object>(target: T, replaced: Record<string, unknown>): T {
  return new Proxy(target, {
    get(_target, name) {
      if (typeof name === 'string' && Object.hasOwn(replaced, name)) return replaced[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function disturbed<T extends object>(
  target: T,
  names: readonly string[],
  env: Env,
  then: (result: unknown) => unknown,
): T {
  const operations = names.map((operation) => [
    operation,
    async (...args: unknown[]) => {
      console.log(JSON.stringify({ event: 'r2_operation', operation }))
      await askForPlan(env)
      const fields = { operation, key: args[0] }
      if (strikes('r2_slow', fields)) await pause(SLOW_MS)
      if (strikes('r2_refused', fields)) throw new InjectedError(`${operation} refused`)
      const result = await (target as unknown as Methods)[operation]!(...args)
      if (strikes('r2_answer_lost', fields)) throw new InjectedError(`the answer of ${operation} is lost`)
      return then(result)
    },
  ])
  return instead(target, Object.fromEntries(operations))
}

interface ObjectBody {
  body: ReadableStream<Uint8Array>
  range?: object
  size: number
}

function breakBody(object: ObjectBody): object {
  const broken = object.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, chunk.byteLength >> 1))
        controller.error(new InjectedError('the body breaks off'))
      },
    }),
  )
  return instead(object, { body: broken, arrayBuffer: () => new Response(broken).arrayBuffer() })
}

const wrapBucket = (bucket: object, env: Env) =>
  disturbed(bucket, BUCKET_OPERATIONS, env, (result) => {
    if (result === null || typeof result !== 'object') return result
    if ('body' in result) return strikes('r2_body_broken', {}) ? breakBody(result as ObjectBody) : result
    if ('uploadPart' in result) return disturbed(result, UPLOAD_OPERATIONS, env, (part) => part)
    if ('objects' in result) return instead(result, { objects: (result.objects as { uploaded: Date }[]).map(aged) })
    return result
  })

const aged = (object: { uploaded: Date }) =>
  instead(object, { uploaded: new Date(object.uploaded.getTime() - plan.agedSeconds * 1000) })

interface Delayed {
  delaySeconds?: number
}

const hurryOf = (env: Env) => Number(env.FAULTS_HURRY ?? 1)

const sooner = (options: Delayed | undefined, env: Env): Delayed | undefined =>
  options?.delaySeconds === undefined
    ? options
    : { ...options, delaySeconds: Math.ceil(options.delaySeconds / hurryOf(env)) }

const wrapMessage = (message: Message, env: Env) =>
  instead(message, { retry: (options?: Delayed) => message.retry(sooner(options, env)) })

const wrapQueue = (queue: object, env: Env) =>
  instead(queue, {
    async send(...args: unknown[]) {
      await askForPlan(env)
      if (strikes('send_refused', {})) throw new InjectedError('the queue refuses')
      const [body, options] = args
      await (queue as unknown as Methods).send!(body, sooner(options as Delayed | undefined, env))
      if (strikes('send_answer_lost', {})) throw new InjectedError('the answer of the queue is lost')
    },
  })

const wrappedEnvs = new WeakMap<Env, Env>()

/** The same one for the same environment, since Workers key what they make once by it. */
function wrapEnv(env: Env): Env {
  const known = wrappedEnvs.get(env)
  if (known) return known
  const wrapped: Env = {
    ...env,
    BUCKET: wrapBucket(env.BUCKET as object, env),
    COMPACTION_QUEUE: wrapQueue(env.COMPACTION_QUEUE as object, env),
    ...(env.COMPACTION_DLQ !== undefined && { COMPACTION_DLQ: wrapQueue(env.COMPACTION_DLQ as object, env) }),
  }
  wrappedEnvs.set(env, wrapped)
  return wrapped
}

/** Delivered once more when their time has come and the queue has something to deliver. */
const again: { queue: string; message: Message; at: number }[] = []

/** The same message, settled elsewhere. */
const copyOf = ({ id, timestamp, body, attempts }: Message): Message => ({
  id,
  timestamp,
  body,
  attempts,
  ack() {},
  retry() {},
})

async function deliver(batch: Batch, env: Env, consume: (batch: Batch) => unknown): Promise<void> {
  const consumeOne = (message: Message, queue = batch.queue) => consume({ queue, messages: [message] })
  const due = again.filter(({ at }) => at < Date.now())
  for (const copy of due) again.splice(again.indexOf(copy), 1)
  const messages = batch.messages.map(async (message) => {
    const fields = { messageId: message.id }
    if (!DEAD_LETTER_QUEUE.test(batch.queue) && strikes('message_dropped', fields)) return message.ack()
    if (strikes('message_late', fields)) await pause(LATE_MS)
    if (strikes('message_again', fields))
      again.push({ queue: batch.queue, message: copyOf(message), at: Date.now() + random() * AGAIN_MS })
    const twice = strikes('message_twice', fields)
    await Promise.all([consumeOne(wrapMessage(message, env)), twice && consumeOne(copyOf(message))])
  })
  await Promise.all([...messages, ...due.map(({ message, queue }) => consumeOne(message, queue))])
}

export function wrapHandler(own: Handler): Handler {
  return {
    ...(own.fetch && { fetch: (request, env, ctx) => own.fetch!(request, wrapEnv(env), ctx) }),
    ...(own.scheduled && { scheduled: (controller, env, ctx) => own.scheduled!(controller, wrapEnv(env), ctx) }),
    ...(own.queue && {
      async queue(batch, env, ctx) {
        await askForPlan(env)
        await deliver(batch, env, (some) => own.queue!(some, wrapEnv(env), ctx))
      },
    }),
  }
}

type WorkflowClass = new (ctx: unknown, env: Env) => { env: Env; run(event: unknown, step: Step): Promise<unknown> }

export function wrapWorkflow(own: WorkflowClass): WorkflowClass {
  return class extends own {
    constructor(ctx: unknown, env: Env) {
      super(ctx, wrapEnv(env))
    }

    override async run(event: unknown, step: Step): Promise<unknown> {
      const hurry = hurryOf(this.env)
      await askForPlan(this.env)
      if (strikes('instance_hung', {})) await pause(HUNG_MS)
      return super.run(event, {
        do: (name, config, body) =>
          step.do(name, hurried(config, hurry), async (...args: unknown[]) => {
            await askForPlan(this.env)
            if (strikes('step_twice', { step: name })) {
              const tries = await Promise.allSettled([body(...args), body(...args)])
              if (tries[1].status === 'rejected') throw tries[1].reason
              return tries[1].value
            }
            const result = await body(...args)
            if (strikes('step_result_lost', { step: name })) throw new InjectedError('the result of the step is lost')
            return result
          }),
      })
    }
  }
}

const hurried = (config: StepConfig, hurry: number): StepConfig =>
  hurry === 1
    ? config
    : { retries: { ...config.retries, delay: config.retries.delay / hurry }, timeout: HURRIED_TIMEOUT }
