const BAR_WIDTH = 24
/** a terminal need not be told more often */
const REDRAW_MS = 80

/** One line on a terminal that is drawn over itself. */
export class ProgressLine {
  readonly #terminal: NodeJS.WriteStream
  readonly #isWanted: boolean
  #drawnAt = Number.NEGATIVE_INFINITY
  #isShown = false

  /** Without a terminal nothing is drawn. */
  constructor(terminal: NodeJS.WriteStream, isWanted: boolean) {
    this.#terminal = terminal
    this.#isWanted = isWanted && terminal.isTTY === true
  }

  /** @param part from 0 to 1 */
  show(label: string, part: number, detail: string): void {
    const now = performance.now()
    if (!this.#isWanted || (part < 1 && now - this.#drawnAt < REDRAW_MS)) return
    this.#drawnAt = now
    this.#isShown = true
    const line = progressText(label, part, detail)
    this.#terminal.write(`\r\x1b[2K${line.slice(0, Math.max(1, (this.#terminal.columns || 80) - 1))}`)
  }

  clear(): void {
    if (this.#isShown) this.#terminal.write('\r\x1b[2K')
    this.#isShown = false
  }
}

export function progressText(label: string, part: number, detail: string): string {
  const done = Math.round(Math.min(1, Math.max(0, part)) * BAR_WIDTH)
  const bar = '█'.repeat(done) + '░'.repeat(BAR_WIDTH - done)
  return `${label} ${bar} ${Math.floor(part * 100)} %  ${detail}`
}
