/** How long an isolate takes a key for what it was when the database was asked. A revoked key is refused within this time. */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 5000

/** Makes a call once a minute for each key, whatever the number of requests. */
export class RememberedCalls<Answer> {
  readonly #now: () => number
  /** oldest first; promises, so that requests at the same time share one call */
  readonly #answers = new Map<string, { at: number; answer: Promise<Answer> }>()

  constructor(now: () => number) {
    this.#now = now
  }

  call(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const remembered = this.#answers.get(key)
    if (remembered !== undefined && this.#now() - remembered.at < REMEMBERED_MS) return remembered.answer
    const answer = ask()
    this.#answers.delete(key)
    this.#answers.set(key, { at: this.#now(), answer })
    if (this.#answers.size > MAX_REMEMBERED) this.#answers.delete(this.#answers.keys().next().value!)
    // only what was found out is remembered: a key may be made in the next moment, and the database may come back
    answer.catch(() => this.#answers.delete(key))
    return answer
  }
}
