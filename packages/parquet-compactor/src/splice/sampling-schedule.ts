/** row groups of the output that pass at the most before values are looked at again */
const MOST_PASSED = 8

/**
 * Says when to look again whether the values of a plain column repeat. Where they did not, the row groups that pass before
 * the next look are twice as many as before the last: columns seldom change.
 */
export class SamplingSchedule {
  /** by column */
  readonly #toPass: number[] = []
  readonly #passedLast: number[] = []

  /** To be asked once a row group. */
  isDue(column: number): boolean {
    const left = this.#toPass[column] ?? 0
    if (left > 0) this.#toPass[column] = left - 1
    return left === 0
  }

  note(column: number, isRepeated: boolean): void {
    const passed = isRepeated ? 0 : Math.min(MOST_PASSED, (this.#passedLast[column] ?? 0) * 2 || 1)
    this.#passedLast[column] = passed
    this.#toPass[column] = passed
  }
}
