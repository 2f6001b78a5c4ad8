/** Between two lines when the output is no terminal. */
const LINE_EVERY_MS = 3000

/** One line that says what goes on: rewritten in place on a terminal, else a plain line every few seconds. */
export class ProgressLine {
  readonly #out: NodeJS.WriteStream
  readonly #now: () => number
  #lastLineAt = Number.NEGATIVE_INFINITY
  #open = false

  constructor(out: NodeJS.WriteStream = process.stdout, now: () => number = Date.now) {
    this.#out = out
    this.#now = now
  }

  show(text: string): void {
    if (this.#out.isTTY) {
      this.#out.write(`\r\x1b[K${text.slice(0, (this.#out.columns ?? 80) - 1)}`)
      this.#open = true
    } else if (this.#now() - this.#lastLineAt >= LINE_EVERY_MS) {
      this.#lastLineAt = this.#now()
      this.#out.write(`… ${text}\n`)
    }
  }

  /** A line that stays. */
  say(text: string): void {
    this.#out.write(`${this.#open ? '\r\x1b[K' : ''}${text}\n`)
    this.#open = false
  }
}
