/** One bit for each row of the inputs: whether it stays. */
export class KeptRows {
  readonly #bits: Uint8Array

  constructor(rows: number) {
    this.#bits = new Uint8Array(Math.ceil(rows / 8))
  }

  keep(row: number): void {
    // beyond 2³¹ a shift would turn negative
    const at = Math.floor(row / 8)
    this.#bits[at] = this.#bits[at]! | (1 << (row % 8))
  }

  has(row: number): boolean {
    return ((this.#bits[Math.floor(row / 8)]! >> (row % 8)) & 1) === 1
  }

  /** rows that stay, of those from `from` on */
  count(from: number, rows: number): number {
    let count = 0
    for (let row = from; row < from + rows; row++) if (this.has(row)) count++
    return count
  }
}
