/**
 * Bytes in the kernel's memory, as a place and not as a view: every call into the kernel may make that memory grow, and growth
 * detaches all views of it. What stands there is overwritten once the kernel goes on.
 */
export class KernelSlice {
  readonly length: number
  readonly #view: () => Uint8Array<ArrayBuffer>

  /** @param view makes a view of the memory as it is now */
  constructor(length: number, view: () => Uint8Array<ArrayBuffer>) {
    this.length = length
    this.#view = view
  }

  /** @returns a view that the next call into the kernel may detach: for use at once */
  view(): Uint8Array<ArrayBuffer> {
    return this.#view()
  }

  copy(): Uint8Array<ArrayBuffer> {
    return this.#view().slice()
  }
}

/** A page as the kernel hands it over. */
export interface KernelPage {
  /** `checked` is a page of an input that was looked through, without a body */
  what: 'plain' | 'indices' | 'dictionary' | 'checked'
  /** compressed if the codec of the column is snappy; for other codecs the caller does it */
  body: KernelSlice
  uncompressedBytes: number
  levels: number
  /** not null; of a dictionary its entries */
  values: number
}
