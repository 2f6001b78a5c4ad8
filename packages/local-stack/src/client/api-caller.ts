import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'

/** An answer may take this long; a client then takes it for lost. */
const ANSWER_MS = 30_000
const PAUSE_MS = 400

/** An answer, or none. */
export interface Answer {
  /** 0: no answer came */
  status: number
  body: unknown
  code: string | undefined
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  json?: unknown
  body?: Blob | FormData
  headers?: Record<string, string>
}

const Problem = z.object({ code: z.string() })

export const passes = ({ status }: Answer) => status === 0 || status === 429 || status >= 500
export const succeeded = ({ status }: Answer) => status >= 200 && status < 300

/** One who calls the API, and is told everything that came back. */
export class ApiCaller {
  readonly name: string
  readonly #webUrl: string
  readonly #token: () => Promise<string>
  readonly #onAnswer: (call: Call, answer: Answer) => void

  constructor(
    name: string,
    webUrl: string,
    token: () => Promise<string>,
    onAnswer: (call: Call, answer: Answer) => void = () => {},
  ) {
    this.name = name
    this.#webUrl = webUrl
    this.#token = token
    this.#onAnswer = onAnswer
  }

  async call(call: Call): Promise<Answer> {
    const answer = await this.#send(call)
    this.#onAnswer(call, answer)
    return answer
  }

  /** Calls until there is an answer that another call would not change, or the tries are spent. */
  async insist(call: Call, tries: number): Promise<Answer> {
    for (let tried = 1; ; tried += 1) {
      const answer = await this.call(call)
      if (!passes(answer) || tried === tries) return answer
      await wait(PAUSE_MS * tried)
    }
  }

  async bytes(path: string): Promise<{ status: number; bytes: Uint8Array }> {
    try {
      const response = await this.#fetch({ path })
      return { status: response.status, bytes: await response.bytes() }
    } catch {
      return { status: 0, bytes: new Uint8Array() }
    }
  }

  async #send(call: Call): Promise<Answer> {
    try {
      const response = await this.#fetch(call)
      const text = await response.text()
      const body: unknown = text === '' ? undefined : JSON.parse(text)
      return { status: response.status, body, code: Problem.safeParse(body).data?.code }
    } catch {
      return { status: 0, body: undefined, code: undefined }
    }
  }

  async #fetch({ method = 'GET', path, json, body, headers }: Call): Promise<Response> {
    return fetch(`${this.#webUrl}${path}`, {
      method,
      headers: {
        ...headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        authorization: `Bearer ${await this.#token()}`,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
  }
}
